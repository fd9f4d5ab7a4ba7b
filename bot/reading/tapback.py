"""What somebody puts on a person's text in Slack, as that person's phone shows it; or nothing, if it stays here."""

from bot.reading.slack_text import emoji_called

#: The six that every iPhone has had for ever, in Blooio's words, and what people put on a message when they mean them.
_CLASSIC = {
    "love": ("heart",),
    "like": ("+1",),
    "dislike": ("-1",),
    "laugh": ("joy", "laughing", "rolling_on_the_floor_laughing"),
    "emphasize": ("bangbang", "exclamation", "grey_exclamation"),
    "question": ("question", "grey_question"),
}

#: What colleagues put on a message for each other, by what it tells them: none of it leaves.
_INTERNAL = {
    "what the bot itself marks replies with": (
        *("hourglass_flowing_sand", "outbox_tray", "white_check_mark", "eyes", "warning", "no_entry_sign"),
        *("memo", "double_vertical_bar"),
    ),
    "who sees to it, and how far that is": (
        *("raised_hand", "raising_hand", "man-raising-hand", "woman-raising-hand", "point_up", "point_up_2"),
        *("point_down", "point_left", "point_right", "bust_in_silhouette", "busts_in_silhouette", "robot_face"),
        *("heavy_check_mark", "ballot_box_with_check", "x", "negative_squared_cross_mark", "no_entry"),
        *("octagonal_sign", "hourglass", "black_square_for_stop", "arrows_counterclockwise", "repeat", "recycle"),
        *("soon", "checkered_flag", "construction", "wrench", "hammer_and_wrench", "mag", "mag_right", "zzz"),
        *("mute", "bell", "no_bell", "lock", "wastebasket", "put_litter_in_its_place"),
    ),
    "how urgent it is, and when it is due": (
        *("rotating_light", "sos", "triangular_flag_on_post", "mega", "loudspeaker", "alarm_clock", "stopwatch"),
        *("timer_clock", "watch", "calendar", "date", "spiral_calendar_pad", "white_circle", "black_circle"),
        *("red_circle", "large_orange_circle", "large_yellow_circle", "large_green_circle", "large_blue_circle"),
        *("large_purple_circle", "large_brown_circle"),
    ),
    "where it belongs, and what it is about": (
        *("pushpin", "round_pushpin", "speech_balloon", "left_speech_bubble", "thought_balloon", "inbox_tray"),
        *("thread", "bookmark", "label", "ticket", "admission_tickets", "bug", "link", "paperclip", "clipboard"),
        *("card_index_dividers", "file_folder", "open_file_folder", "email", "incoming_envelope", "mailbox"),
        *("phone", "telephone_receiver", "calling"),
    ),
    "what one says about somebody and not to them": (
        *("face_palm", "man-facepalming", "woman-facepalming", "shrug", "man-shrugging", "woman-shrugging"),
        *("face_with_rolling_eyes", "face_with_raised_eyebrow", "unamused", "clown_face", "middle_finger", "hankey"),
        *("rage", "angry", "face_with_symbols_on_mouth", "nauseated_face", "face_vomiting", "shushing_face"),
        *("zipper_mouth_face", "see_no_evil", "hear_no_evil", "speak_no_evil", "lying_face", "yawning_face"),
    ),
}

_WORDS = {emoji_called(name): word for word, names in _CLASSIC.items() for name in names}
_KEPT = {emoji_called(name) for names in _INTERNAL.values() for name in names}


def tapback_of(reaction: str) -> str | None:
    """
    Read a *reaction* as Slack's events name it, such as `+1::skin-tone-3`.

    Return one of the six words of Blooio's (love, like, dislike, laugh, emphasize, question) or an emoji; None if it
    must not reach a phone, or cannot: a workspace's own emoji has no character.
    """
    name, _, tones = reaction.partition("::")
    plain = emoji_called(name)
    if plain is None or plain in _KEPT:
        return None
    return _WORDS.get(plain) or emoji_called(name, tones.removeprefix("skin-tone-").split("-"))
