"""The rules, pure: money, numbers, usage, decks and rating, plans and pools, lots, recharge, the credit account."""
