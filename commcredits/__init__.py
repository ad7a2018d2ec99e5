"""Settings, composition root, command line and process supervision: the only package that composes the others."""

__version__ = "0.1.0"
