"""Explains error output of pip, Python and Windows to users."""

from __future__ import annotations

import re

VC_REDIST_URL = "https://aka.ms/vs/17/release/vc_redist.x64.exe"
NO_REDIST = (
    f"the Microsoft Visual C++ Redistributable is missing; install {VC_REDIST_URL} and try again"
)

# (regex, explanation), searched from top to bottom: first in the error lines, then in the whole
# output, where pip reports the broken connections that it has retried. The first match wins.
_CAUSES: tuple[tuple[str, str], ...] = (
    (
        r"No space left on device|\[WinError 112\]|Errno 28\b",
        "the disk is full; free some space and try again",
    ),
    (
        r"failed: 407\b|407 Proxy|Proxy Authentication Required",
        "the proxy asks for a name and password; "
        "set HTTPS_PROXY=http://NAME:PASSWORD@HOST:PORT and try again",
    ),
    (
        r"ProxyError|Cannot connect to proxy|Tunnel connection failed",
        "the proxy does not answer; set HTTPS_PROXY=http://HOST:PORT (or unset a wrong one) "
        "and try again",
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError",
        "the network's certificate is not trusted (a company proxy?); set PIP_CERT to the "
        "proxy's certificate file and try again",
    ),
    (
        r"getaddrinfo failed|Name or service not known|name resolution|nodename nor servname|"
        r"Failed to establish a new connection|Network is unreachable|NameResolutionError",
        "there is no network; connect and try again, or use --wheels DIR (docs/install.md)",
    ),
    (
        r"Read timed out|ConnectTimeoutError|ReadTimeoutError|timed out",
        "the network is too slow or blocked; try again (finished steps are not repeated)",
    ),
    (
        r"\[WinError 206\]|Windows Long Path support",
        r"the path is too long for Windows; move the program to a shorter folder such as C:\Music",
    ),
    (
        r"\[WinError 32\]|\[WinError 5\]|PermissionError|Access is denied",
        "cannot write a file: another program has it open, or the folder is write-protected; "
        "close Llm-Music-Gen, check the antivirus, and try again",
    ),
)
_NO_DISTRIBUTION = re.compile(r"No matching distribution found for ([A-Za-z0-9._-]+)")
_LIBRARY_NOT_LOADED = re.compile(
    r"DLL load failed|Could not find module|WinError 126\b|WinError 127\b|"
    r"error 0x7e\b|cannot open shared object",
    re.IGNORECASE,
)


def explain_failure(output: str) -> str:
    """Explain a failed installation to the user, in one line with advice.

    Parameters
    ----------
    output : str
        All output of pip or Python.

    Returns
    -------
    str
        The known cause, else the last error line of the output.
    """
    lines = output.splitlines()
    errors = "\n".join(x for x in lines if x.lstrip().lower().startswith(("error", "hint")))
    for text in (errors, output):
        for pattern, explanation in _CAUSES:
            if re.search(pattern, text):
                return explanation
    missing = _NO_DISTRIBUTION.search(output)
    if missing:
        return (
            f"{missing[1]} is not available for this Python and computer; use a 64-bit "
            "Python 3.11 to 3.14"
        )
    return f"{last_error_line(output)}; try again, or see docs/install.md"


def is_missing_library(output: str) -> bool:
    """Whether a shared library of a package, or a dependency of it, could not be loaded."""
    return bool(_LIBRARY_NOT_LOADED.search(output))


def last_error_line(output: str) -> str:
    """Return the last error line of the output, else its last line; at most 200 characters."""
    lines = [x.strip() for x in output.splitlines() if x.strip()]
    errors = [x for x in lines if x.lower().startswith("error")]
    return (errors or lines or ["no output"])[-1][:200]
