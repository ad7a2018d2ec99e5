"""How notices are put together: read models that find them, whoever takes them, and who is told."""

from adapters.mail import NoMailServer, SmtpServer
from adapters.webhooks import Webhooks
from application.composing import Composer
from application.links import PAY
from application.notices import Notices
from application.recipients import Recipients
from application.sending import MailServer
from commcredits.bootstrap import Engine
from commcredits.settings import Settings
from domain.spending import Usual
from projections.hours import Hours
from projections.notice_look import Look
from projections.notices import NoticeModel
from projections.runner import Follower


def notices_of(engine: Engine) -> Notices:
    """Found, handed out and delivered, over the engine's store."""
    settings, store = engine.settings, engine.store
    usual = Usual(settings.unusual_factor, settings.unusual_floor)
    return Notices(
        store,
        engine.claims.now,
        _composer(engine),
        Follower(store, [NoticeModel(), Hours()]).step,
        Look(store, usual).look,
        _mail_server(settings),
        Webhooks(settings.webhook_allow),
    )


def recipients_of(engine: Engine) -> Recipients:
    """Who is told, over the engine's store."""
    hooks = Webhooks(engine.settings.webhook_allow)
    return Recipients(engine.store, engine.vault, engine.accounts, _composer(engine), hooks)


def _composer(engine: Engine) -> Composer:
    return Composer(engine.vault, engine.accounts, lambda account, of: engine.links.url(PAY, account, of))


def _mail_server(settings: Settings) -> MailServer:
    return NoMailServer() if settings.smtp_url is None else SmtpServer(settings.smtp_url, settings.mail_from)
