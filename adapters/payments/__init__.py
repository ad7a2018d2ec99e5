"""Payment providers, behind the port of application/payments.py."""
