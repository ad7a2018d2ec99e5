"""What notices say in English: per kind a subject, a sentence, and what may be done about it."""

from typing import Final

from application.notice_words import Language, Words

ENGLISH: Final = Language(
    code="en",
    product="Communication credits",
    account="Account",
    sent="This message was sent by a machine, because you asked to be told of such things. Its number is {id}.",
    point=".",
    time="{0:%Y-%m-%d %H:%M} ({1})",
    labels={
        "amount": "Amount",
        "balance": "Balance",
        "spendable": "Can be spent",
        "threshold": "When the balance falls below",
        "method": "Payment method",
        "message": "What the bank says",
        "next_try_at": "Next try",
        "until": "Until",
        "cause": "Cause",
        "charged": "Charged this month",
        "cap": "Cap for the month",
        "lot": "Lot",
        "recharge": "Recharge",
        "purchase": "Purchase",
        "refund": "Refund",
        "dispute": "Dispute",
        "debt": "Spent of it already",
        "expires_at": "Expires",
        "expires": "Valid to the end of",
        "plan": "Plan",
        "user": "User",
        "month": "Month",
        "minutes": "Minutes included",
        "used": "Minutes used",
        "spent": "Spent",
        "usual": "Usual",
        "hour": "Hour from",
        "postpaid": "Billed later",
        "action_url": "Confirm here",
    },
    causes={
        "declined": "the card was declined",
        "retries_exhausted": "every retry was declined",
        "action_timeout": "nobody confirmed it with the bank in time",
        "too_frequent": "more recharges in an hour than are allowed",
        "dispute": "a payment was disputed",
    },
    kinds={
        "balance.low": Words(
            "The balance is low: {spendable}",
            "What can be spent has fallen below {threshold}.",
            "Add more funds, or set up auto-recharge.",
        ),
        "balance.zero": Words(
            "The balance is used up",
            "There is no credit left: calls that are paid by credit stop, toll-free numbers included.",
            "Add more funds now.",
        ),
        "recharge.succeeded": Words("Auto-recharge added {amount}", "The balance is {balance} now.", ""),
        "recharge.failed": Words(
            "Auto-recharge of {amount} was declined",
            "The payment method took nothing.",
            "Check the payment method, or add more funds by hand.",
        ),
        "recharge.action_required": Words(
            "Confirm the auto-recharge of {amount} with your bank",
            "Your bank asks for a confirmation until {until}; after that the recharge is given up.",
            "Confirm it here: {action_url}",
        ),
        "recharge.suspended": Words(
            "Auto-recharge is suspended",
            "Nothing is recharged until somebody resumes it: {cause}.",
            "Look at the payment method, then resume in Modify recharge settings.",
        ),
        "recharge.capped": Words(
            "Auto-recharge has reached its cap for the month",
            "A recharge of {amount} would pass the cap of {cap}. Nothing is charged before {until}.",
            "Raise the cap in Modify recharge settings, or add more funds by hand.",
        ),
        "purchase.succeeded": Words("{amount} of credit was bought", "The balance is {balance} now.", ""),
        "purchase.failed": Words(
            "The purchase of {amount} failed", "Nothing was charged.", "Try again, or with another payment method."
        ),
        "purchase.action_required": Words(
            "Confirm the purchase of {amount} with your bank",
            "Your bank asks for a confirmation until {until}.",
            "Confirm it here: {action_url}",
        ),
        "refund.requested": Words("A refund of {amount} is on its way", "The amount has left the balance.", ""),
        "refund.succeeded": Words("{amount} was refunded", "The money has gone back to where it came from.", ""),
        "refund.failed": Words(
            "The refund of {amount} failed", "The amount is in the balance again, which is {balance} now.", ""
        ),
        "dispute.opened": Words(
            "A payment of {amount} is disputed",
            "What is left of that credit cannot be spent meanwhile, and auto-recharge is suspended.",
            "",
        ),
        "dispute.won": Words("The dispute of a payment is won", "The credit can be spent again.", ""),
        "dispute.lost": Words(
            "The dispute of a payment is lost", "{amount} was taken back. The balance is {balance} now.", ""
        ),
        "credit.expiring": Words(
            "{amount} of credit expires in {days} days",
            "What is not used by {expires_at} is lost.",
            "",
        ),
        "pool.80": Words("80% of the included minutes of {plan} are used", "{used} of {minutes} minutes.", ""),
        "pool.100": Words(
            "The included minutes of {plan} are used up", "From now on such calls are paid by credit.", ""
        ),
        "budget.80": Words("80% of a budget is spent", "{spent} of {amount} in {month}.", ""),
        "budget.100": Words("A budget is spent", "{spent} of {amount} in {month}.", ""),
        "card.expiring": Words(
            "The card {method} expires in {days} days",
            "It is valid to the end of {expires}; after that auto-recharge will be declined.",
            "Add another payment method.",
        ),
        "spend.unusual": Words(
            "Unusual spending: {spent} in one hour",
            "In the same hour of the weeks before it was {usual}. This may be toll fraud.",
            "Look at the calls of this hour, and block what nobody of yours makes.",
        ),
        "postpaid.began": Words(
            "Post-paid has begun", "The credit is used up; what is used from now on is billed later.", ""
        ),
        "test": Words("A test", "This is a test: notices reach you.", ""),
    },
)
