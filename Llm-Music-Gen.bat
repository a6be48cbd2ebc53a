@echo off
setlocal EnableExtensions DisableDelayedExpansion
rem Llm-Music-Gen for Windows. Double-click it for the launcher menu, or pass a command:
rem     Llm-Music-Gen.bat generate "Chill, Dubstep" --songs 3
rem Keep this file ASCII, and put no path inside a parenthesized block: a folder may be called
rem "Music (new) & more".

set "HERE=%~dp0"
set "STATUS=0"
set "PYTHONUTF8=1"
rem Packages and variables of other Pythons do not belong here.
set "PYTHONNOUSERSITE=1"
set "PYTHONHOME="
set "PYTHONPATH="
set "RULE================================================================================="
set "THIN=--------------------------------------------------------------------------------"
call :read_code_page
chcp 65001 >nul 2>&1

if not exist "%HERE%launcher.py" goto incomplete
if not "%~1"=="" goto command

:menu
call :head Launcher
echo     1. Run Main Program
echo     2. Run Installer Tool
echo.
echo %THIN%
set "CHOICE="
set /p "CHOICE=Selection; Menu Option = 1-2, Exit Launcher = X: "
if not defined CHOICE goto no_input
set "EMPTY_LINES="
set "CHOICE=%CHOICE:"=%"
if "%CHOICE%"=="1" goto program
if "%CHOICE%"=="2" goto installer
if /i "%CHOICE%"=="X" goto finish
goto menu

:no_input
rem Enter draws the menu again, but stop after five: standard input may be at its end.
set "EMPTY_LINES=%EMPTY_LINES%x"
if "%EMPTY_LINES%"=="xxxxx" goto finish
goto menu

:program
call :find_python installed
if not defined FOUND goto no_python
%FOUND% "%HERE%launcher.py"
set "STATUS=%ERRORLEVEL%"
if "%STATUS%"=="0" goto finish
if "%STATUS%"=="130" goto finish
echo.
echo The program ended with status %STATUS%; see the messages above.
pause
goto menu

:installer
call :find_python
if not defined FOUND goto no_python
call :head "Installer Tool"
%FOUND% "%HERE%requisites.py" --tool
set "STATUS=%ERRORLEVEL%"
echo.
pause
goto menu

:command
call :find_python installed
if not defined FOUND goto no_python
%FOUND% "%HERE%launcher.py" %*
set "STATUS=%ERRORLEVEL%"
if "%STATUS%"=="0" goto finish
if "%STATUS%"=="130" goto finish
call :pause_own_window
goto finish

:incomplete
set "STATUS=9"
echo.
echo launcher.py is missing beside this file. If you opened it inside a ZIP, unpack the whole ZIP
echo to a folder first ("Extract All"), then start it there.
if not defined LLM_MUSIC_GEN_NO_PAUSE pause
goto finish

:no_python
set "STATUS=9"
echo.
echo Llm-Music-Gen needs Python 3.11 or newer, 64-bit, but none was found on this computer.
echo Install it from https://www.python.org/downloads/ and tick "Add python.exe to PATH".
if not "%~1"=="" call :pause_own_window
if not "%~1"=="" goto finish
call :offer_winget
if defined FOUND goto menu
pause
goto menu

:finish
if not "%CODE_PAGE%"=="0" chcp %CODE_PAGE% >nul 2>&1
exit /b %STATUS%

rem ---------------------------------------------------------------------------------------------

:offer_winget
rem Offer what Windows itself can install, and do nothing without a yes.
where winget >nul 2>&1
if errorlevel 1 exit /b 0
set "WINGET=winget install --id Python.Python.3.13 --exact --source winget --scope user"
echo.
echo Windows can install it with this command:
echo     %WINGET%
set "CHOICE="
set /p "CHOICE=Run it now? Yes = Y, No = Enter: "
if /i not "%CHOICE%"=="Y" exit /b 0
%WINGET%
call :find_python
if defined FOUND echo Python is installed.
exit /b 0

:head
echo.
echo %RULE%
echo     Llm-Music-Gen: %~1
echo %RULE%
echo.
exit /b 0

:read_code_page
rem chcp prints it inside a sentence in the language of Windows: "Active code page: 850."
set "CODE_PAGE=0"
for /f "tokens=2 delims=:" %%P in ('chcp 2^>nul') do set "CODE_PAGE=%%P"
set "CODE_PAGE=%CODE_PAGE:.=%"
set "CODE_PAGE=%CODE_PAGE: =%"
set /a "CODE_PAGE=CODE_PAGE" >nul 2>&1
if errorlevel 1 set "CODE_PAGE=0"
exit /b 0

:pause_own_window
rem A window opened for this file closes at its end: pause so that the error can be read.
rem Set LLM_MUSIC_GEN_NO_PAUSE=1 for scheduled tasks.
if defined LLM_MUSIC_GEN_NO_PAUSE exit /b 0
set "STARTED=%CMDCMDLINE:"=%"
if /i "%STARTED: /c =%"=="%STARTED%" exit /b 0
pause
exit /b 0

:find_python
rem Run each candidate, because the Microsoft Store's placeholder for python does not work.
set "FOUND="
set "CHECK=import sys; sys.exit(sys.version_info < (3, 11) or sys.maxsize < 2**32)"
call :try_own
if "%~1"=="installed" call :try_installed
if defined LLM_MUSIC_GEN_PYTHON call :try_named
for %%V in (-3.13 -3.12 -3.14 -3.11 -3) do call :try_python py %%V
call :try_python python
call :try_python python3
for %%V in (313 312 314 311) do call :try_user_python %%V
if not defined FOUND call :try_installed
exit /b 0

:try_own
rem A portable folder has a Python of its own.
if not exist "%HERE%python\python.exe" exit /b 0
"%HERE%python\python.exe" -c "%CHECK%" >nul 2>&1
if "%ERRORLEVEL%"=="0" set FOUND="%HERE%python\python.exe"
exit /b 0

:try_installed
if defined FOUND exit /b 0
if not exist "%HERE%.venv\Scripts\python.exe" exit /b 0
"%HERE%.venv\Scripts\python.exe" -c "%CHECK%" >nul 2>&1
if "%ERRORLEVEL%"=="0" set FOUND="%HERE%.venv\Scripts\python.exe"
exit /b 0

:try_user_python
rem Just installed: the PATH of this window does not have it yet.
if defined FOUND exit /b 0
set "ANSWER=%LOCALAPPDATA%\Programs\Python\Python%1\python.exe"
if not exist "%ANSWER%" exit /b 0
"%ANSWER%" -c "%CHECK%" >nul 2>&1
if "%ERRORLEVEL%"=="0" set FOUND="%ANSWER%"
exit /b 0

:try_named
if defined FOUND exit /b 0
"%LLM_MUSIC_GEN_PYTHON%" -c "%CHECK%" >nul 2>&1
if "%ERRORLEVEL%"=="0" set FOUND="%LLM_MUSIC_GEN_PYTHON%"
exit /b 0

:try_python
rem Ask for sys.executable, because the command may be an alias or a batch file.
if defined FOUND exit /b 0
set "ANSWER="
for /f "delims=" %%P in ('%1 %2 -c "import sys; print(sys.executable)" 2^>nul') do set "ANSWER=%%P"
if not defined ANSWER exit /b 0
"%ANSWER%" -c "%CHECK%" >nul 2>&1
if "%ERRORLEVEL%"=="0" set FOUND="%ANSWER%"
exit /b 0
