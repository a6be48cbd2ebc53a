@echo off
setlocal
rem Starts Llm-Music-Gen. Words are passed on: Llm-Music-Gen.bat generate "Chill, Dubstep" --songs 3
set "HERE=%~dp0"
set "PYTHONUTF8=1"
py -3 -c "import sys; sys.exit(sys.version_info < (3, 11))" >nul 2>&1
if not errorlevel 1 (
  py -3 "%HERE%launcher.py" %*
  goto finish
)
python -c "import sys; sys.exit(sys.version_info < (3, 11))" >nul 2>&1
if not errorlevel 1 (
  python "%HERE%launcher.py" %*
  goto finish
)
echo Llm-Music-Gen needs Python 3.11 or newer, 64-bit: https://www.python.org/downloads/
pause
exit /b 1
:finish
set "STATUS=%ERRORLEVEL%"
if not "%STATUS%"=="0" if "%~1"=="" pause
exit /b %STATUS%
