"""`authorize`: may this call be made, and for how long?"""

from argparse import Namespace

from commcredits import values
from commcredits.cli.command import Command, Context
from commcredits.cli.errors import DONE
from commcredits.cli.parser import Parser
from commcredits.cli.rate import number


def _call_type(text: str) -> str:
    from domain.usage import CALL_TYPES

    return values.choice(*sorted(CALL_TYPES))(text)


def _options(parser: Parser) -> None:
    parser.positional("account", "the account", values.account_id, shown="ID")
    parser.positional("number", "the number to call; inbound, the service number that was dialled", number)
    parser.option("--user", "who calls; of a conference the organizer", values.name, shown="U")
    parser.option("--call-type", "else user_out", _call_type, shown="T")
    parser.option("--from-number", "where the call comes from", number, shown="N")
    parser.option("--number-type", "inbound: what the number is, such as toll-free", values.name, shown="T")
    parser.option("--at", "when the call starts; else now", values.instant, shown="TIME")


def _authorize(context: Context, arguments: Namespace) -> int:
    from application.authorize import DEFAULT_CALL_TYPE, Question

    question = Question(
        arguments.number,
        arguments.from_number or "",
        arguments.user or "",
        arguments.call_type or DEFAULT_CALL_TYPE,
        arguments.number_type or "",
        arguments.at,
    )
    context.output.document(context.engine.authorizer.authorize(arguments.account, question).view())
    return DONE


COMMANDS = (
    Command(
        "authorize",
        "says whether a call may be made, how long it is covered, and what pays; exit 0 for yes and no",
        "commcredits authorize contoso +442071234567 --user ana@contoso.com",
        _options,
        _authorize,
    ),
)
