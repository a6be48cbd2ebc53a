"""Fuzz inputs with a structure: what mutations of a valid file do not reach."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from hypothesis import strategies as st

_ODD_TEXTS = ["\x1b]0;x\x07", "\u202e", "\0", "\ud800", "%", "\\", "\r", "\x85", "é", "𝄞", '"', "'"]
text = st.lists(st.sampled_from(_ODD_TEXTS) | st.text(max_size=6), min_size=1, max_size=4).map(
    "".join
)

# --- ABC

_NOTES = st.sampled_from(
    [
        "C",
        "^F2",
        "_e'/",
        "[CEG]2",
        "[C2E]",
        "z",
        "x2",
        "(3CDE",
        "C>D",
        "{ge}A",
        "A-A",
        "(AB)",
        "!f!G",
        '"Am"A',
        '"^text"B',
        "Z",
        "y",
        "&",
        "C//",
        "[K:D]",
        "[V:2]",
        "[M:3/4]",
        "[r:x]",
        "^/A",
        "C0",
    ]
)
_FIELDS = st.sampled_from(
    ["M:4/4", "M:none", "M:6/8", "L:1/8", "L:1/1", "P:(AB)2", "V:1", "V:2 transpose=-2", "Q:1/4=90"]
)
_BARS = st.sampled_from(
    ["|", "||", "|]", ":|", "|:", "::", "|1", ":|2", "[1", "[2,3", "", ".|", "|::"]
)
_BLOCKS = st.sampled_from(["text", "ps", "svg", "js", "ml"])
_MODES = st.sampled_from(["", "m", "M", "min", "Dor", "phr ^F", "exp ^f _b", "MIX", " clef=bass-8"])


@st.composite
def abc(draw: Any) -> bytes:
    """A tune with comments, directives, blocks, empty lines, parts and voices."""
    lines = [f"X:{draw(st.integers(0, 9))}", f"T:{draw(text)}"]
    lines += draw(st.lists(_FIELDS, max_size=5))
    lines.append("K:" + draw(st.sampled_from(["C", "Bb", "HP", "none", "E"])) + draw(_MODES))
    for _ in range(draw(st.integers(1, 12))):
        kind = draw(st.integers(0, 9))
        if kind < 5:
            music = draw(st.lists(st.tuples(_NOTES, _NOTES, _NOTES, _BARS), min_size=1, max_size=6))
            lines.append(
                " ".join("".join(bar) for bar in music) + draw(st.sampled_from(["", "\\", " % x|"]))
            )
        elif kind == 5:
            block = draw(_BLOCKS)
            lines += [
                f"%%begin{block}",
                draw(text),
                "",
                "C|D|",
                f"%%end{draw(st.just(block) | _BLOCKS)}",
            ]
        elif kind == 6:
            lines.append("%" * draw(st.integers(1, 3)) + draw(text))
        elif kind == 7:
            lines.append(draw(st.sampled_from("CNTWwrIPVKLMQUms")) + ":" + draw(text))
        elif kind == 8:
            lines.append("")
        else:
            lines.append(
                "I:"
                + draw(st.sampled_from(["MIDI=program 5", "MIDI transpose 200", "linebreak $"]))
            )
    return "\n".join(lines).encode("utf-8", "replace")


# --- MusicXML archives


@st.composite
def archives(draw: Any, score: bytes) -> bytes:
    """An archive whose container is damaged, or names something else."""
    name = draw(
        st.sampled_from(["score.xml", "You're.xml", "a b.musicxml", "META-INF/x.xml", "é.xml"])
    )
    quote = draw(st.sampled_from(["'", '"', ""]))
    path = draw(st.sampled_from([name, "gone.xml", "../../etc/passwd", "\\\\server\\x.xml"]) | text)
    container = f"<container><rootfiles><rootfile full-path={quote}{path}{quote}"
    container += draw(
        st.sampled_from(["/></rootfiles></container>", ">", "/>", "", " media-type='x'/>"])
    )
    times = draw(st.sampled_from(["", "2", "0", "-1", "1000000", "x"]))
    repeat = f'<barline location="right"><repeat direction="backward" times="{times}"/></barline>'
    ending = draw(st.sampled_from(["", '<barline><ending number="1,9" type="start"/></barline>']))
    body = score.replace(b"</measure>", f"{ending}{repeat}</measure>".encode())
    packed = io.BytesIO()
    with zipfile.ZipFile(
        packed, "w", draw(st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]))
    ) as file:
        if draw(st.booleans()):
            file.writestr("META-INF/container.xml", container.encode("utf-8", "replace"))
        file.writestr(name, draw(st.sampled_from([body, score, score[:200], b"", b"<a>"])))
    data = bytearray(packed.getvalue())
    for _ in range(draw(st.integers(0, 2))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data)


# --- Chat templates

_EXPRESSIONS = st.sampled_from(
    [
        "1/0",
        "a()",
        "messages",
        "messages[9]",
        "messages[0].content * 3",
        "'a' * 99999999999",
        "n.s ~ n.s",
        "raise_exception('no')",
        "range(999999999)",
        "''.__class__",
        "bos_token | center(999999999)",
        "messages | tojson",
        "'%99999999d' % 1",
        "self",
        "cycler(1)",
        "lipsum(999)",
        "10 ** 9999",
        "x.y.z",
        "'a'.join(range(300) | map('string'))",
        "dict(a=1).update",
        "namespace()",
        "messages | map('upper')",
    ]
)


@st.composite
def templates(draw: Any) -> bytes:
    """A chat template of nested blocks."""

    def block(depth: int) -> str:
        kind = draw(st.integers(0, 7))
        if depth > 3 or kind < 3:
            return draw(st.one_of(_EXPRESSIONS.map(lambda e: "{{ " + e + " }}"), text))
        if kind == 3:
            count = draw(st.sampled_from([0, 3, 100, 40_000 if depth == 0 else 9]))
            return f"{{% for m in range({count}) %}}{block(depth + 1)}{{% endfor %}}"
        if kind == 4:
            return "{% for m in messages %}" + block(depth + 1) + "{% endfor %}"
        if kind == 5:
            return "{% macro a() %}" + block(depth + 1) + "{{ a() }}{% endmacro %}{{ a() }}"
        if kind == 6:
            return (
                "{% set n = namespace(s='aa') %}{% for i in range(30) %}"
                "{% set n.s = n.s ~ n.s %}{% endfor %}"
            )
        return (
            "{% if "
            + draw(_EXPRESSIONS)
            + " %}"
            + block(depth + 1)
            + draw(st.sampled_from(["{% endif %}", ""]))
        )

    return "".join(block(0) for _ in range(draw(st.integers(1, 4)))).encode("utf-8", "replace")


# --- Recipes from strangers


@st.composite
def recipes(draw: Any, valid: bytes) -> bytes:
    """A recipe whose file, notes and texts somebody chose."""
    details = json.loads(valid)
    recipe = details["recipe"]
    if draw(st.booleans()):
        recipe.pop("written", None)
        recipe["file"] = draw(
            st.sampled_from(
                [
                    "tune.abc",
                    "/etc/passwd",
                    "../tune.abc",
                    "C:\\x.abc",
                    "\\\\s\\x.abc",
                    "CON",
                    "\\\\.\\pipe\\x",
                    "fifo",
                    "folder",
                    "/dev/zero",
                    "link",
                    "",
                ]
            )
            | text
        )
        if draw(st.booleans()):
            recipe["notes"] = draw(st.sampled_from(["", "eJw=", "x", "A" * 500]) | text)
    for name in draw(
        st.lists(st.sampled_from(["order", "number", "seed", "temperature", "wishes"]), max_size=3)
    ):
        recipe[name] = draw(
            text | st.integers() | st.none() | st.floats() | st.just({"styles": "pop\ud800"})
        )
    if "written" in recipe and draw(st.booleans()):
        recipe["written"][draw(st.sampled_from(["title", "model", "words_by", "sheet"]))] = draw(
            text
        )
    details[draw(st.sampled_from(["title", "asked", "key", "styles"]))] = draw(
        text | st.lists(text, max_size=2)
    )
    return json.dumps(details).encode()


def strategies(seeds: dict[str, Any]) -> dict[str, st.SearchStrategy[bytes]]:
    """Strategy by reader; `seeds` has valid inputs."""
    return {
        "structured ABC": abc(),
        "MusicXML archives": archives(seeds["MusicXML"][0][0]),
        "chat templates": templates(),
        "mailed recipes": recipes(seeds["song details"][0][0]),
    }
