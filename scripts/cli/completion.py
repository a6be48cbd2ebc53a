"""``launcher.py completion``: tab completion scripts, generated from the parser."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

from scripts.cli.parser import PROGRAM, build_parser
from scripts.core import paths
from scripts.core.settings import Settings

COMMAND = "llm-music-gen"  # that the script defines


def print_script(args: argparse.Namespace, settings: Settings) -> int:
    """Print the completion script for a shell."""
    make = {"bash": bash_script, "zsh": zsh_script, "powershell": powershell_script}[args.shell]
    print(make(), end="")
    return 0


def completion_words() -> dict[str, list[str]]:
    """Return the possible words after each command, such as ``library playlist``."""
    return dict(_walk(build_parser(), ""))


def _walk(parser: argparse.ArgumentParser, path: str) -> Iterator[tuple[str, list[str]]]:
    words: list[str] = []
    for action in parser._actions:
        if action.help == argparse.SUPPRESS:
            continue
        words += [option for option in action.option_strings if option.startswith("--")]
        if isinstance(action, argparse._SubParsersAction):
            words += list(action.choices)
            for name, child in action.choices.items():
                yield from _walk(child, f"{path} {name}".strip())
        elif action.choices and not action.option_strings:
            words += map(str, action.choices)
    yield path, sorted(words)


def bash_script() -> str:
    """Return the script for bash."""
    cases = "".join(
        f"    {_quote(path)}) words={_quote(' '.join(words))} ;;\n"
        for path, words in sorted(completion_words().items())
    )
    launcher = _quote(str(paths.ROOT / PROGRAM))
    return f"""\
{COMMAND}() {{ {_quote(sys.executable)} {launcher} "$@"; }}
_llm_music_gen() {{
  local path="" word words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${{COMP_WORDS[i]}}
    case "${{path:+$path }}$word" in
{_path_cases()}    esac
  done
  case "$path" in
{cases}  esac
  COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _llm_music_gen {COMMAND} {PROGRAM} ./{PROGRAM}
"""


def zsh_script() -> str:
    """Return the script for zsh, which loads the one for bash."""
    return f"autoload -U +X bashcompinit && bashcompinit\n{bash_script()}"


def powershell_script() -> str:
    """Return the script for PowerShell."""
    table = "".join(
        f"  {_quote_ps(path)} = @({', '.join(map(_quote_ps, words))})\n"
        for path, words in sorted(completion_words().items())
    )
    launcher = _quote_ps(str(paths.ROOT / PROGRAM))
    return f"""\
function {COMMAND} {{ & {_quote_ps(sys.executable)} {launcher} @args }}
$LlmMusicGenWords = @{{
{table}}}
$LlmMusicGenNames = @('{COMMAND}', '{PROGRAM}', 'Llm-Music-Gen.bat')
Register-ArgumentCompleter -Native -CommandName $LlmMusicGenNames -ScriptBlock {{
  param($wordToComplete, $commandAst, $cursorPosition)
  $path = ''
  foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {{
    if ($element.Extent.EndOffset -ge $cursorPosition) {{ break }}
    $next = ("$path $element").Trim()
    if ($LlmMusicGenWords.ContainsKey($next)) {{ $path = $next }}
  }}
  $LlmMusicGenWords[$path] | Where-Object {{ $_ -like "$wordToComplete*" }} | ForEach-Object {{
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }}
}}
"""


def _path_cases() -> str:
    names = sorted(filter(None, completion_words()))
    return "".join(f"      {_quote(name)}) path={_quote(name)} ;;\n" for name in names)


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _quote_ps(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
