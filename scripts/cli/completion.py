"""``launcher.py completion``: tab completion scripts, generated from the parser."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence

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
    words = dict(_walk(build_parser(), ""))
    words["help"] += [word for word in words[""] if not word.startswith("-")]
    return words


def option_values() -> dict[str, list[str]]:
    """Return the possible values of each option that has a choice, such as ``play --output``."""
    return dict(_walk_values(build_parser(), ""))


def _walk(parser: argparse.ArgumentParser, path: str) -> Iterator[tuple[str, list[str]]]:
    words: list[str] = []
    for action in parser._actions:
        if action.help == argparse.SUPPRESS:
            continue
        words += [option for option in action.option_strings if option.startswith("--")]
        if action.choices and not action.option_strings:
            words += map(str, action.choices)
    for name, child in _subcommands(parser, path):
        yield from _walk(child, name)
    yield path, sorted(words)


def _walk_values(parser: argparse.ArgumentParser, path: str) -> Iterator[tuple[str, list[str]]]:
    for action in parser._actions:
        for option in action.option_strings if action.choices else ():
            yield f"{path} {option}".strip(), sorted(map(str, action.choices or ()))
    for name, child in _subcommands(parser, path):
        yield from _walk_values(child, name)


def _subcommands(
    parser: argparse.ArgumentParser, path: str
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, child in action.choices.items():
                yield f"{path} {name}".strip(), child


def bash_script() -> str:
    """Return the script for bash."""
    words, values = completion_words(), option_values()
    launcher = _quote(str(paths.ROOT / PROGRAM))
    return f"""\
{COMMAND}() {{ {_quote(sys.executable)} {launcher} "$@"; }}
_llm_music_gen() {{
  local path="" word words="" values="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${{COMP_WORDS[i]}}
    case "${{path:+$path }}$word" in
{_path_cases(words)}    esac
  done
  case "$path" in
{_word_cases("words", words)}  esac
  case "${{path:+$path }}${{COMP_WORDS[COMP_CWORD - 1]}}" in
{_word_cases("values", values)}  esac
  word=${{COMP_WORDS[COMP_CWORD]}}
  COMPREPLY=($(compgen -W "${{values:-$words}}" -- "$word"))
  [[ $word ]] || COMPREPLY=($(printf '%s\\n' ${{COMPREPLY[@]+"${{COMPREPLY[@]}}"}} | grep -v '^-'))
}}
complete -o default -F _llm_music_gen {COMMAND} {PROGRAM} ./{PROGRAM}
"""


def zsh_script() -> str:
    """Return the script for zsh, which loads the one for bash."""
    return f"""\
(( $+functions[compdef] )) || {{ autoload -U compinit && compinit -i; }}
autoload -U +X bashcompinit && bashcompinit
{bash_script()}"""


def powershell_script() -> str:
    """Return the script for PowerShell."""
    table = "".join(
        f"  {_quote_ps(path)} = @({', '.join(map(_quote_ps, words))})\n"
        for path, words in sorted((completion_words() | option_values()).items())
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
  $last = ''
  foreach ($element in $commandAst.CommandElements | Select-Object -Skip 1) {{
    if ($element.Extent.EndOffset -ge $cursorPosition) {{ break }}
    $last = ("$path $element").Trim()
    if ("$element" -notlike '-*' -and $LlmMusicGenWords.ContainsKey($last)) {{ $path = $last }}
  }}
  if ($LlmMusicGenWords.ContainsKey($last)) {{ $path = $last }}
  $LlmMusicGenWords[$path] | Where-Object {{ $_ -like "$wordToComplete*" }} | ForEach-Object {{
    [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
  }}
}}
"""


def _word_cases(variable: str, table: Mapping[str, Sequence[str]]) -> str:
    return "".join(
        f"    {_quote(path)}) {variable}={_quote(' '.join(words))} ;;\n"
        for path, words in sorted(table.items())
    )


def _path_cases(words: Iterable[str]) -> str:
    names = sorted(filter(None, words))
    return "".join(f"      {_quote(name)}) path={_quote(name)} ;;\n" for name in names)


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _quote_ps(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
