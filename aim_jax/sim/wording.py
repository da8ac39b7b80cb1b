"""Instruction templates put together from few phrases: 50 seen and 10 unseen ones per task, as RoboTwin has."""

from __future__ import annotations

from collections.abc import Sequence

_SEEN, _UNSEEN = 50, 10
# Per way of using the arms the sentences of seen and of unseen templates; "@" is the phrase, which begins with a verb.
# {arm}, {first} and {second} are filled in per layout.
_FRAMES = {
    "one": (
        ("@.", "Use the {arm} arm to @.", "With the {arm} hand, @.", "Please @.", "Let the {arm} arm @."),
        (
            "Have the {arm} arm @.",
            "Your task is to @.",
            "The {arm} gripper should @.",
            "What you need to do is @.",
            "It is up to the {arm} arm to @.",
        ),
    ),
    "both": (
        ("@.", "Use both arms to @.", "With two hands, @.", "Please @.", "@, using the left and the right arm."),
        (
            "Have the two arms @.",
            "Your task is to @.",
            "Both grippers should @.",
            "What you need to do is @.",
            "It takes two hands to @.",
        ),
    ),
    "in turn": (
        (
            "@.",
            "Use both arms to @.",
            "With two hands, @.",
            "@ using the {first} arm and then the {second} one.",
            "Begin with the {first} hand and @.",
        ),
        (
            "Have the two arms @.",
            "Your task is to @.",
            "Let the {first} arm begin and @.",
            "What you need to do is @.",
            "With first the {first} and then the {second} arm, @.",
        ),
    ),
    "any": (
        ("@.", "Please @.", "The task is to @.", "Now @.", "Go and @."),
        ("Have the robot @.", "Your task is to @.", "What you need to do is @.", "Somebody should @.", "Would you @."),
    ),
}

PUT = ("put", "place", "set", "move", "lay")
"""Verbs of seen templates that take a thing and a place."""
PUT_UNSEEN = ("rest", "position", "deposit", "bring", "transfer")
LIFT = ("lift", "raise", "pick up", "grab and lift", "take")
LIFT_UNSEEN = ("hoist", "heave up", "elevate", "seize and raise", "hold up")

Templates = tuple[tuple[str, ...], tuple[str, ...]]


def templates(seen: Sequence[str], unseen: Sequence[str], arms: str = "one") -> Templates:
    """Seen and unseen templates: every phrase in as many sentences as make 50 and 10.

    Args:
        seen: phrases, imperative and without a full stop, such as "press the {button}".
        unseen: phrases kept for evaluation.
        arms: what the sentences say of the arms: "one" names the arm `{arm}`, "both" means both at once, "in turn"
            first `{first}` and then `{second}`, "any" says nothing.

    Raises:
        ValueError: the phrases cannot make as many templates.
    """
    frames, unseen_frames = _FRAMES[arms]
    return _combine(frames, seen, _SEEN), _combine(unseen_frames, unseen, _UNSEEN)


def verb_templates(
    objects: Sequence[str],
    unseen: Sequence[str],
    verbs: Sequence[str] = PUT,
    unseen_verbs: Sequence[str] = PUT_UNSEEN,
    arms: str = "one",
) -> Templates:
    """Templates whose phrases are every verb with every object phrase.

    Args:
        objects: what follows a verb in the seen templates, with the keys of the task's words in braces.
        unseen: the same for the unseen templates.
        verbs: of the seen templates.
        unseen_verbs: of the unseen ones.
        arms: as in `templates`.
    """
    return templates(
        [f"{verb} {rest}" for verb in verbs for rest in objects],
        [f"{verb} {rest}" for verb in unseen_verbs for rest in unseen],
        arms,
    )


def _combine(frames: Sequence[str], phrases: Sequence[str], number: int) -> tuple[str, ...]:
    per_phrase, rest = divmod(number, len(phrases))
    if rest or per_phrase > len(frames):
        raise ValueError(f"{len(phrases)} phrases in {len(frames)} sentences do not make {number} templates")
    sentences = (frame.replace("@", phrase) for phrase in phrases for frame in frames[:per_phrase])
    return tuple(sentence[0].upper() + sentence[1:] for sentence in sentences)
