"""What notices say in Slovenian, with the words of the product's own Slovenian pages."""

from typing import Final

from application.notice_words import Language, Words

SLOVENIAN: Final = Language(
    code="sl",
    product="Dobropisi za komuniciranje",
    account="Račun",
    sent="To sporočilo je poslal program, ker ste želeli biti o tem obveščeni. Njegova številka je {id}.",
    point=",",
    time="{0.day}. {0.month}. {0.year} ob {0:%H:%M} ({1})",
    labels={
        "amount": "Znesek",
        "balance": "Stanje",
        "spendable": "Na voljo",
        "threshold": "Ko pade stanje pod",
        "method": "Način plačila",
        "message": "Sporočilo banke",
        "next_try_at": "Naslednji poskus",
        "until": "Do",
        "cause": "Vzrok",
        "charged": "Zaračunano ta mesec",
        "cap": "Mesečna omejitev",
        "lot": "Dobropis",
        "recharge": "Polnjenje",
        "purchase": "Nakup",
        "refund": "Vračilo",
        "dispute": "Ugovor",
        "debt": "Od tega že porabljeno",
        "expires_at": "Poteče",
        "expires": "Velja do konca",
        "plan": "Načrt klicanja",
        "user": "Uporabnik",
        "month": "Mesec",
        "minutes": "Vključene minute",
        "used": "Porabljene minute",
        "spent": "Poraba",
        "usual": "Običajno",
        "hour": "Ura od",
        "postpaid": "Zaračunano pozneje",
        "action_url": "Potrdite tukaj",
    },
    causes={
        "declined": "kartica je bila zavrnjena",
        "retries_exhausted": "vsi ponovni poskusi so bili zavrnjeni",
        "action_timeout": "pri banki ni bilo pravočasno potrjeno",
        "too_frequent": "več polnjenj v eni uri, kot je dovoljeno",
        "dispute": "za plačilo je bil vložen ugovor",
    },
    kinds={
        "balance.low": Words(
            "Stanje je nizko: {spendable}",
            "Znesek, ki je na voljo, je padel pod {threshold}.",
            "Dodajte več sredstev ali nastavite samodejno polnjenje.",
        ),
        "balance.zero": Words(
            "Dobropisi so porabljeni",
            "Dobropisov ni več: klici, ki se plačujejo z njimi, so ustavljeni, tudi brezplačne številke.",
            "Takoj dodajte več sredstev.",
        ),
        "recharge.succeeded": Words("Samodejno polnjenje: dodano {amount}", "Stanje je zdaj {balance}.", ""),
        "recharge.failed": Words(
            "Samodejno polnjenje v znesku {amount} je bilo zavrnjeno",
            "S plačilnim sredstvom ni bilo nič zaračunano.",
            "Preverite način plačila ali sredstva dodajte ročno.",
        ),
        "recharge.action_required": Words(
            "Potrdite samodejno polnjenje v znesku {amount} pri svoji banki",
            "Banka zahteva potrditev do {until}; potem bo polnjenje opuščeno.",
            "Potrdite ga tukaj: {action_url}",
        ),
        "recharge.suspended": Words(
            "Samodejno polnjenje je ustavljeno",
            "Polnjenja ne bo, dokler ga kdo znova ne vklopi: {cause}.",
            "Preverite način plačila in ga znova vklopite (Spremenite nastavitve polnjenja).",
        ),
        "recharge.capped": Words(
            "Samodejno polnjenje je doseglo mesečno omejitev",
            "Polnjenje v znesku {amount} bi preseglo omejitev {cap}. Do {until} ne bo nič zaračunano.",
            "Zvišajte omejitev (Spremenite nastavitve polnjenja) ali sredstva dodajte ročno.",
        ),
        "purchase.succeeded": Words("Kupljeni dobropisi: {amount}", "Stanje je zdaj {balance}.", ""),
        "purchase.failed": Words(
            "Nakup v znesku {amount} ni uspel",
            "Nič ni bilo zaračunano.",
            "Poskusite znova ali z drugim načinom plačila.",
        ),
        "purchase.action_required": Words(
            "Potrdite nakup v znesku {amount} pri svoji banki",
            "Banka zahteva potrditev do {until}.",
            "Potrdite ga tukaj: {action_url}",
        ),
        "refund.requested": Words("Vračilo v znesku {amount} je v teku", "Znesek je odštet od stanja.", ""),
        "refund.succeeded": Words("Vrnjeno: {amount}", "Denar je vrnjen tja, od koder je prišel.", ""),
        "refund.failed": Words(
            "Vračilo v znesku {amount} ni uspelo", "Znesek je spet del stanja, ki je zdaj {balance}.", ""
        ),
        "dispute.opened": Words(
            "Za plačilo v znesku {amount} je vložen ugovor",
            "Preostanka tega dobropisa medtem ni mogoče porabiti, samodejno polnjenje je ustavljeno.",
            "",
        ),
        "dispute.won": Words("Ugovor je rešen v vašo korist", "Dobropis je spet na voljo.", ""),
        "dispute.lost": Words("Ugovor je izgubljen", "{amount} je bilo vzeto nazaj. Stanje je zdaj {balance}.", ""),
        "credit.expiring": Words(
            "Čez {days} dni poteče dobropis: {amount}",
            "Kar do {expires_at} ne bo porabljeno, propade.",
            "",
        ),
        "pool.80": Words("Porabljenih je 80 % vključenih minut ({plan})", "{used} od {minutes} minut.", ""),
        "pool.100": Words(
            "Vključene minute so porabljene ({plan})", "Od zdaj se takšni klici plačujejo z dobropisi.", ""
        ),
        "budget.80": Words("Porabljenih je 80 % proračuna", "{spent} od {amount} v mesecu {month}.", ""),
        "budget.100": Words("Proračun je porabljen", "{spent} od {amount} v mesecu {month}.", ""),
        "card.expiring": Words(
            "Kartica {method} poteče čez {days} dni",
            "Velja do konca meseca {expires}; potem bo samodejno polnjenje zavrnjeno.",
            "Dodajte drug način plačila.",
        ),
        "spend.unusual": Words(
            "Nenavadna poraba: {spent} v eni uri",
            "V isti uri prejšnjih tednov je bila {usual}. Morda gre za zlorabo.",
            "Preglejte klice v tej uri in preprečite tiste, ki niso vaši.",
        ),
        "postpaid.began": Words(
            "Začelo se je naknadno plačevanje",
            "Dobropisi so porabljeni; kar se porabi od zdaj naprej, bo zaračunano pozneje.",
            "",
        ),
        "test": Words("Preizkus", "To je preizkus: obvestila vas dosežejo.", ""),
    },
)
