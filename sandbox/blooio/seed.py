"""The people and the line everybody meets in a fresh sandbox: in the demo, in tests and in the documents alike."""

from sandbox.blooio.model import Contact, Line, Phone
from sandbox.blooio.records import Records, new_id

LINE = "+15550109999"

JANE = "+15551234567"  # iMessage
SAM = "+15557654321"  # SMS only
RITA = "+15550100003"  # RCS
NORA = "+15550100004"  # iMessage, slowly
FAY = "+15550100005"  # whatever is sent to her fails
PAT = "pat@example.test"  # iMessage by e-mail, not in the address book


def seed(records: Records) -> None:
    """Fill empty *records*."""
    now = records.clock.now()
    records.lines.append(Line(LINE, last_active=now))
    for phone in (
        Phone(JANE, "Jane Doe"),
        Phone(SAM, "Sam Green", imessage=False),
        Phone(RITA, "Rita Costa", imessage=False, rcs=True),
        Phone(NORA, "Nora Slow", delivered_after=8.0),
        Phone(FAY, "Fay Lure", fails_with="recipient_unreachable"),
        Phone(PAT, sms=False),
    ):
        records.phones[phone.address] = phone
        if phone.name is not None:
            records.contacts[phone.address] = Contact(new_id("ct"), phone.address, phone.name, created_at=now)
