"""What pip, Python and Windows say when something fails, and what that means for a person."""

from __future__ import annotations

import re

VC_REDIST = "https://aka.ms/vs/17/release/vc_redist.x64.exe"
NO_REDIST = (
    f"the Microsoft Visual C++ Redistributable is missing; install {VC_REDIST} and run it again"
)

# Tried from top to bottom, first on the error lines, then on everything that was printed (where
# pip tells of the broken connections it has tried again): the first that matches is the cause.
_CAUSES: tuple[tuple[str, str], ...] = (
    (
        r"No space left on device|\[WinError 112\]|Errno 28\b",
        "the disk is full; make room and run it again",
    ),
    (
        r"failed: 407\b|407 Proxy|Proxy Authentication Required",
        "the proxy asks for a name and password; "
        "set HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT and run it again",
    ),
    (
        r"ProxyError|Cannot connect to proxy|Tunnel connection failed",
        "the proxy does not answer; set HTTPS_PROXY=http://HOST:PORT (or unset a wrong one) "
        "and run it again",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError",
        "the network's certificate is not known, as behind a company proxy; set PIP_CERT to its "
        "certificate file and run it again",
    ),
    (
        r"getaddrinfo failed|Name or service not known|name resolution|nodename nor servname|"
        r"Failed to establish a new connection|Network is unreachable|NameResolutionError",
        "there is no network; connect and run it again, or use --wheels DIR (docs/install.md)",
    ),
    (
        r"Read timed out|ConnectTimeoutError|ReadTimeoutError|timed out",
        "the network is too slow or blocked; run it again, it goes on where it stopped",
    ),
    (
        r"\[WinError 206\]|Windows Long Path support",
        r"the path is too long for Windows; move the program to a shorter folder such as C:\Music",
    ),
    (
        r"\[WinError 32\]|\[WinError 5\]|PermissionError|Access is denied",
        "a file could not be written because another program holds it, or the folder is protected; "
        "close Llm-Music-Gen, look at the antivirus, and run it again",
    ),
)
_MISSING = re.compile(r"No matching distribution found for ([A-Za-z0-9._-]+)")
_DLL = re.compile(
    r"DLL load failed|Could not find module|WinError 126\b|WinError 127\b|"
    r"error 0x7e\b|cannot open shared object",
    re.IGNORECASE,
)


def cause_of(said: str) -> str:
    """The cause of a failed installation in words, or the last thing that was said.

    Parameters
    ----------
    said : str
        Everything that pip or Python printed.
    """
    lines = said.splitlines()
    errors = "\n".join(x for x in lines if x.lstrip().lower().startswith(("error", "hint")))
    for text in (errors, said):
        for pattern, words in _CAUSES:
            if re.search(pattern, text):
                return words
    missing = _MISSING.search(said)
    if missing:
        return (
            f"there is no {missing[1]} for this Python and computer; Python 3.11 to 3.14, "
            "64-bit, is known to work"
        )
    return f"{last_words(said)}; run it again, or see docs/install.md"


def is_missing_library(said: str) -> bool:
    """True when a package's own library, or one that it needs, could not be loaded."""
    return bool(_DLL.search(said))


def last_words(said: str) -> str:
    """The last error line of what was printed, else its last line, at most 200 characters."""
    lines = [x.strip() for x in said.splitlines() if x.strip()]
    errors = [x for x in lines if x.lower().startswith("error")]
    return (errors or lines or ["it said nothing"])[-1][:200]
