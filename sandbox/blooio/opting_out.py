"""
People who texted STOP, for whoever wants to try a Blooio that refuses to text them.

No document says that it does. Carriers do, for SMS: they know these words, and let one confirmation through.
"""

from sandbox.blooio.records import Records

STOP = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT"}
START = {"START", "YES", "UNSTOP"}
CONFIRM_WITHIN = 5 * 60.0  # seconds


def note(records: Records, address: str, text: str | None) -> None:
    """Remember what an inbound text means: only the whole of it counts, in any case."""
    word = (text or "").strip().upper()
    if word in STOP:
        records.stopped[address] = records.clock.now()
    elif word in START:
        records.stopped.pop(address, None)


def is_refused(records: Records, address: str, *, texts: int) -> bool:
    """Whether so many texts may not go to somebody: they opted out, and it is not the one that confirms it in time."""
    at = records.stopped.get(address)
    if at is None or not records.settings.blocks_after_stop:
        return False
    last = records.tallies[address].last_outbound
    has_confirmed = last is not None and last.at >= at
    return texts > 1 or has_confirmed or records.clock.now() >= at + CONFIRM_WITHIN
