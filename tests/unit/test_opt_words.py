"""A text is a standard word when it is nothing else, however it is written."""

import pytest

from bot.reading.opt_words import HELP_WORDS, START_WORDS, STOP_WORDS, OptWords, bare, clashes
from bot.texting.model import Author, Opting, OptWord, Received
from bot.texting.opting import StandardWords

WORDS = OptWords.of(STOP_WORDS, START_WORDS, HELP_WORDS)

STOP, START, HELP = OptWord.STOP, OptWord.START, OptWord.HELP

TEXTS = [
    # the words themselves
    ("STOP", STOP, "capitals"),
    ("stop", STOP, "small letters"),
    ("sToP", STOP, "any letters"),
    ("STOPALL", STOP, "stopall"),
    ("stop all", STOP, "stopall in two words"),
    ("Stop-All", STOP, "stopall with a hyphen"),
    ("UNSUBSCRIBE", STOP, "unsubscribe"),
    ("un-subscribe", STOP, "unsubscribe with a hyphen"),
    ("Cancel", STOP, "cancel"),
    ("END", STOP, "end"),
    ("quit.", STOP, "quit"),
    ("Revoke", STOP, "revoke"),
    ("OPTOUT", STOP, "optout"),
    ("opt-out", STOP, "optout with a hyphen"),
    ("Opt Out", STOP, "optout in two words"),
    ("START", START, "start"),
    ("Start!", START, "start with a mark"),
    ("unstop", START, "unstop"),
    ("Yes", START, "yes"),
    ("yes.", START, "yes with a dot"),
    ("HELP", HELP, "help"),
    ("help?", HELP, "help as a question"),
    ("Info", HELP, "info"),
    # punctuation, spaces and what cannot be seen
    ("Stop!!", STOP, "exclamation marks"),
    ("Stop.", STOP, "a dot"),
    ("STOP?", STOP, "a question mark"),
    ('"STOP"', STOP, "straight quotes"),
    ("“Stop”", STOP, "curly quotes"),
    ("«stop»", STOP, "guillemets"),
    ("'stop'", STOP, "apostrophes"),
    ("*STOP*", STOP, "asterisks"),
    ("_stop_", STOP, "underscores"),
    ("(stop)", STOP, "brackets"),
    ("S T O P", STOP, "letters apart"),
    ("S.T.O.P.", STOP, "dots between the letters"),
    ("  stop  ", STOP, "spaces around"),
    ("\n\nSTOP\r\n", STOP, "lines around"),
    ("\tSTOP", STOP, "a tab"),
    ("STOP\u00a0", STOP, "a no-break space"),
    ("S\u200bT\u200bO\u200bP", STOP, "zero-width spaces"),
    ("\ufeffSTOP", STOP, "a byte order mark"),
    ("ST\u00adOP", STOP, "a soft hyphen"),
    ("\u202eSTOP\u202c", STOP, "a change of direction"),
    ("STOP\0", STOP, "a zero"),
    ("STOP" + "!" * 500, STOP, "very many marks"),
    # emoji and letters that only look otherwise
    ("STOP 🛑", STOP, "an emoji behind"),
    ("🛑🛑 stop 🛑🛑", STOP, "emoji around"),
    ("stop 👍🏽", STOP, "an emoji with a skin tone"),
    ("ＳＴＯＰ", STOP, "full-width letters"),
    ("𝐒𝐓𝐎𝐏", STOP, "bold letters"),
    ("ⓈⓉⓄⓅ", STOP, "letters in circles"),
    ("S̶T̶O̶P̶", STOP, "struck through"),
    ("QUİT", STOP, "a Turkish capital i"),
    # sentences and other words
    ("we have to STOP this bill", None, "a word inside a sentence"),
    ("don't stop", None, "the opposite"),
    ("Stop by at 5", None, "a visit"),
    ("stop it", None, "two words"),
    ("please stop", None, "asked politely"),
    ("Stop texting me", None, "asked in other words"),
    ("stop stop", None, "twice"),
    ("STOP STOP STOP", None, "three times"),
    ("unstoppable", None, "a longer word"),
    ("nonstop", None, "a word that ends so"),
    ("stopp", None, "another language's word"),
    ("STOP 1", None, "with a number"),
    ("1. STOP", None, "numbered"),
    ("STOP²", None, "squared"),
    ("STOP\n\nSent from my iPhone", None, "a signature"),
    ("cancel my appointment", None, "what to cancel"),
    ("Please cancel", None, "a request to cancel"),
    ("the end", None, "an article"),
    ("I quit", None, "a resignation"),
    ("help me", None, "help for somebody"),
    ("No help needed", None, "no help"),
    ("information", None, "more than info"),
    ("yes please", None, "a polite yes"),
    ("yess", None, "a long yes"),
    ("start at nine", None, "a time"),
    ("Loved “STOP”", None, "a reaction in words"),
    ("Emphasized “Reply STOP to get no more texts”", None, "a reaction to our own words"),
    ("Ѕтор", None, "letters of another script"),
    ("停止", None, "another script"),
    ("ALTO", None, "another language"),
    ("🛑", None, "only an emoji"),
    ("!!!", None, "only marks"),
    ("", None, "nothing"),
    (" \u200b ", None, "nothing that can be seen"),
    ("STOP " + "x" * 5_000, None, "a long text"),
    ("!" * 5_000 + "STOP", None, "a word behind more marks than anybody types"),
]


@pytest.mark.parametrize(("text", "word", "name"), [pytest.param(*case, id=case[2]) for case in TEXTS])
def test_a_text_is_a_word_when_it_is_nothing_else(text: str, word: OptWord | None, name: str) -> None:
    """Case, punctuation and what decorates it do not count, and a sentence never does."""
    read = WORDS.read(text)
    assert (read[0] if read else None) is word, name


@pytest.mark.parametrize(
    ("text", "written"),
    [("stop", "STOP"), ("“Stop All”", "STOPALL"), ("opt-out!", "OPTOUT"), ("yes.", "YES")],
)
def test_which_word_it_was_is_said_in_capitals(text: str, written: str) -> None:
    """The thread says what they wrote, without what decorated it."""
    read = WORDS.read(text)
    assert read is not None
    assert read[1] == written


def test_other_words_can_be_chosen() -> None:
    """They take the place of the usual ones, in any script."""
    words = OptWords.of(["Stopp", "ARRÊT", "停止"], ["los"], ["Hilfe"])
    assert words.read("stopp!") == (STOP, "STOPP")
    assert words.read("arre\u0302t") == (STOP, "ARRÊT")
    assert words.read("停止。") == (STOP, "停止")
    assert words.read("Los") == (START, "LOS")
    assert words.read("HILFE") == (HELP, "HILFE")
    assert words.read("unsubscribe") is None
    assert words.read("yes") is None
    assert words.read("help") is None


def test_stop_and_start_are_always_words() -> None:
    """Our own words name them, and the law does."""
    words = OptWords.of([], [], [])
    assert words.read("Stop.") == (STOP, "STOP")
    assert words.read("start") == (START, "START")
    assert words.read("help") is None
    assert words.read("") is None


def test_a_word_in_two_lists_is_found() -> None:
    """However it is written there."""
    assert clashes(["STOP", "End"], ["START", "end!"], ["stop"]) == ["end!", "stop"]
    assert clashes(["STOP", "stop"], ["START"], []) == []
    assert bare("“Opt-Out”") == "optout"


def received(text: str) -> Received:
    return Received("msg_1", "+15551234567", "+15550109999", text, (), None, None, told=True)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("identity", "said", "author"),
    [
        pytest.param(
            {"team": "Acme", "user": "texting", "user_id": "U1"},
            "No more from Acme.",
            Author("U1", "texting"),
            id="known",
        ),
        pytest.param({}, "No more from us.", Author("", "Texting"), id="Slack has not said yet who we are"),
    ],
)
def test_an_answer_names_the_workspace(identity: dict[str, str], said: str, author: Author) -> None:
    """As Slack calls it when the text comes."""
    answers = {STOP: "No more from {team}.", START: "{team} {again}", HELP: None}
    words = StandardWords(WORDS, answers, identity=lambda: identity)
    assert words.read(received("stop")) == Opting(STOP, "STOP", said, author)
    help_ = words.read(received("help"))
    assert help_ is not None
    assert help_.answer is None
    assert words.read(received("Where are you?")) is None
