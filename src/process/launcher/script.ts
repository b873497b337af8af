/** What the report of the launcher begins with. Lines before it come from the shell, such as a warning about its locale. */
export const REPORT_MARK = "exec-server-sdk:";

/** Where scripts find their helpers: the directories of common systems, of NixOS, and of the environment. */
export const HELPER_PATH =
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell evaluates it
  "PATH=/usr/bin:/bin:/usr/sbin:/sbin:/usr/local/bin:/run/current-system/sw/bin${PATH:+:$PATH}";

/** What the feeder of an input ignores: everything that can be sent to the group of its program. */
const FEEDER_IGNORES =
  "HUP INT QUIT ILL TRAP ABRT BUS FPE USR1 SEGV USR2 PIPE ALRM TERM TSTP TTIN TTOU XCPU XFSZ VTALRM PROF SYS";

/**
 * The launcher: a script that a POSIX shell runs in front of a program, and that the program then takes the place of.
 *
 * The program must not notice it. Its exit code, arguments, environment, signals and process id are those of a start
 * without the launcher, and what can't be started is reported as the server reports it without a terminal.
 *
 * Arguments: `$1` rows and `$2` columns of a terminal; or, with pipes, `$1` nothing and `$2` what to do for the end of the
 * input: `feed`, `require`, or nothing. `$3` the working directory, `$4` the TERM to set if there is none, or nothing,
 * `$5` names of variables that a shell may lose, joined by `=`, `$6` names of variables to remove, each with a `=` behind,
 * then the program and its arguments. Values of variables are never arguments: other users can read those.
 *
 * It runs in dash, bash, busybox, mksh and zsh, with the tools of GNU, BSD or busybox. The helpers are looked for in the
 * directories of the system, and only then in the PATH of the program, which may have none of them.
 *
 * 1. The working directory. In a terminal the server falls back to the home directory if it can't be entered, so the
 *    script compares. `es_why` reports why a path can't be used: for example ENOENT, or EACCES of a directory above.
 * 2. The size, set on the terminal itself. Without `stty` only the server's own size can be had.
 * 3. The program. It is looked for as the server's execvp does; a shell would also find its builtins. A file without a
 *    known format is ENOEXEC, unless the kernel has formats that the script does not know: a shell and `env` would run
 *    it as a script. The interpreter of a script must exist as well.
 * 4. The environment. Shells drop names that are no identifiers (dash, busybox), reset IFS and OPTIND, correct PWD, count
 *    SHLVL, set `_`. So awk compares the original environment, which Linux has in /proc, with the one it has inherited from
 *    the shell, and prints a command for each difference. `es_keep` repairs a variable: by an assignment where the shell is
 *    known to export what was assigned, else by `env -S`, which takes the value from a copy in the environment, so that
 *    only names are among its arguments. Where `env` has no -S (busybox) an odd name is reported as lost. Without /proc the
 *    variables of `$5` are lost, and PWD, OLDPWD, SHLVL and `_` are the shell's own.
 * 5. With pipes: the end of the input, which the protocol can't send. The program reads a fifo, which loses its
 *    name at once, and a feeder copies to it what the server writes: frames of a decimal length, a line feed and that many
 *    bytes. The length 0 ends the input. If the feeder ends in any other way, unless the program has closed its input (then
 *    the tool that copies exits with 1), the program is killed, so that it never takes a part for the whole; the time of its
 *    start tells it from a later process with the same id. For a feeder that is itself killed its parent does that, which
 *    holds the fifo open until then. Both ignore signals to the group, are no children of the program, hold none of its
 *    output, and end with the first frame that nothing reads.
 *    Its own redirections are those of an `exec`: around a function a shell would keep copies of what they replace.
 *    To read exactly a frame it takes `head`, or where that reads ahead (busybox, BSD) `dd`.
 *    A launcher that is killed between `mkfifo` and `rm` leaves the fifo. So the client terminates no start before its
 *    report. Only a server that is itself killed at that moment leaves one.
 * 6. The report: the process id, then the device of the terminal or whether the input is fed. It is the last line before
 *    the program's own output. With pipes standard error gets a line as well, behind the shell's warnings.
 * 7. The program, through `env`, which looks for it in the program's own PATH, passes its name as given, and removes what
 *    the shell has added. To `env` a name with `=` is an assignment, so `nice` stands before such a program.
 *
 * `@{` stands for the shell's dollar and brace, which a template literal would evaluate.
 */
const SCRIPT = String.raw`set +aeuvx
es_path=@{PATH-/usr/local/bin:/bin:/usr/bin} es_given=@{PATH+1} es_rows=$1 es_input=$2 es_term=$4 es_risky=$5 es_gone=$6
${HELPER_PATH}
es_fail() { printf '${REPORT_MARK}%s\n' "$1"; exit 1; }
es_runs() { [ -f "$1" ] && [ -x "$1" ]; }
es_why() {
es_at=$2
while [ "$es_at" ] && ! [ -e "$es_at" ]; do case $es_at in */*) es_at=@{es_at%/*};; *) es_at=.;; esac; done
if [ "$es_at" = "$2" ] && { [ "$1" = program ] || [ -d "$2" ]; }; then es_fail "$1 EACCES"; fi
[ -d "$es_at/" ] || es_fail "$1 ENOTDIR"
[ -x "$es_at/" ] || es_fail "$1 EACCES"
es_fail "$1 ENOENT"
}
[ "$3" -ef . ] || cd -P -- "$3" 2>/dev/null || es_why cwd "$3"
es_about=
if [ "$es_rows" ]; then
stty rows "$1" cols "$2" 2>/dev/null || [ "$1 $2" = '24 80' ] || es_fail size
es_about=$(tty 2>/dev/null || readlink /proc/self/fd/0)
es_input=
fi
shift 6
es_file=$1
case $1 in
*/*) es_runs "$1" || es_why program "$1";;
*)
[ @{#1} -le 255 ] || es_fail 'program ENAMETOOLONG'
es_file= es_why=ENOENT es_rest=$es_path:
while [ "$es_rest" ] && [ -z "$es_file" ]; do
es_at=@{es_rest%%:*} es_rest=@{es_rest#*:} es_at=@{es_at:-.}/$1
if es_runs "$es_at"; then es_file=$es_at; elif [ -e "$es_at" ]; then es_why=EACCES; fi
done
[ "$es_file" ] || es_fail "program $es_why";;
esac
[ -r "$es_file" ] && es_kind=$(LC_ALL=C awk 'NR == 1 { seen = 1
if (sub(/^#![ \t]*/, "")) { sub(/[ \t].*/, ""); print "#" $0 }
else if ($0 !~ /^(\177ELF|MZ|PK|\312\376|[\316\317]\372|\376\355)/) print "?"
exit } END { if (!seen) print "?" }' <"$es_file" 2>/dev/null)
case $es_kind in
'#'*) es_runs "@{es_kind#?}" || es_why program "@{es_kind#?}";;
'?') [ -e /proc/sys/fs/binfmt_misc/status ] || es_fail 'program ENOEXEC';;
esac
case $1 in *=*) set -- "$(command -v nice)" -n 0 "$@";; esac
[ "$es_given" ] || { shift; set -- "$es_file" "$@"; }
es_env=/usr/bin/env es_drop= es_rest= es_split=
[ -x "$es_env" ] || es_env=$(command -v env)
es_keep() {
if [ "$4" ]; then case $BASH_VERSION$ZSH_VERSION$KSH_VERSION in '') (export "$1=$2") 2>/dev/null && export "$1=$2" && return; esac; fi
[ "$es_split" ] || es_split=$("$es_env" '-Sprintf 1' 2>/dev/null)
if [ "$es_split" = 1 ]; then
export "es_copy_$$_$5=$2"
es_drop="$es_drop -u es_copy_$$_$5" es_rest="$es_rest \"$3=\@{es_copy_$$_$5}\""
return
fi
case $4$BASH_VERSION:$1 in
1?*:_ | 1?*:SHLVL) return;;
1?*:RANDOM | 1?*:SECONDS | 1?*:LINENO) ;;
1*) (export "$1=$2") 2>/dev/null && export "$1=$2" && return;;
esac
es_fail "lost $1"
}
es_join='if [ "$es_rest" ]; then set -- "-S$es_drop --$es_rest" "$@"; else set -- -- "$@"; fi'
es_fix=
if [ -r /proc/self/environ ]; then { es_fix=$(tr '\0\n' '\n\1' | LC_ALL=C awk '
function quoted(s) { gsub(/\047/, "\047\\\047\047", s); gsub(/\001/, "\n", s); return "\047" s "\047" }
{ at = index($0, "="); name = substr($0, 1, at - 1); value = substr($0, at + 1)
if (at < 2 || name in had) next
had[name] = 1
if (name == "PATH" || name == "LC_ALL") next
if (name in ENVIRON) { is = ENVIRON[name]; gsub(/\n/, "\001", is); if (is "" == value "") next }
text = name; gsub(/[\\"$]/, "\\\\&", text)
print "es_keep " quoted(name) " " quoted(value) " " quoted(text) " " (name ~ /^[A-Za-z_][A-Za-z0-9_]*$/ && name !~ /^es_/ ? 1 : "\047\047") " " ++n }
END { print "eval \"$es_join\""
if ("TERM" in had) print "es_term="
for (name in ENVIRON) if (!(name in had)) print "set -- -u " quoted(name) " \"$@\"" }'); } 2>/dev/null </proc/self/environ; fi
if [ "$es_fix" ]; then eval "$es_fix"; else
[ -z "$es_risky" ] || es_fail "lost @{es_risky%%=*}"
"$es_env" | grep -q '^TERM=' && es_term=
eval "$es_join"
fi
while [ "$es_gone" ]; do set -- -u "@{es_gone%%=*}" "$@"; es_gone=@{es_gone#*=}; done
[ -z "$es_term" ] || export "TERM=$es_term"
es_born() {
es_stat=
[ -r "/proc/$$/stat" ] && read -r es_stat <"/proc/$$/stat"
set -- @{es_stat##*) }
if [ $# -lt 20 ]; then es_now=$(ps -o lstart= -p $$); else shift 19; es_now=$1; fi
}
es_over() {
es_born
[ "$es_since" ] && [ "$es_since" = "$es_now" ] && { kill -s KILL -- "-$$" || kill -s KILL "$$"; }
}
es_feed() {
if [ "$(printf ab | { head -c 1 >/dev/null; cat; })" = b ]; then es_take() { head -c "$1"; }
elif [ "$(printf ab | dd bs=2 count=1 iflag=fullblock)" = ab ]; then es_take() { dd bs="$1" count=1 iflag=fullblock; }
else es_take() { dd bs=1 count="$1"; }; fi
while IFS= read -r es_length && [ "$es_length" ]; do
[ "$es_length" = 0 ] && return
es_take "$es_length"
case $? in 0) ;; 1) return 0;; *) break;; esac
done
return 1
}
if [ "$es_input" ] && command -v dd >/dev/null; then
for es_at in "@{TMPDIR:-/tmp}" /tmp /dev/shm; do
for es_n in 1 2 3; do
mkfifo -m 600 "$es_at/.exec-server-$$-$es_n" 2>/dev/null && es_about=fed && break 2
done
done
if [ "$es_about" ]; then
es_at=$es_at/.exec-server-$$-$es_n
exec 3<&0 4<>"$es_at" 5>"$es_at" <"$es_at"
rm -f "$es_at"
(for es_n in ${FEEDER_IGNORES}; do trap '' $es_n; done 2>/dev/null; (exec <&3 >&5 2>/dev/null 3<&- 4<&- 5<&-; IFS=' '; es_born; es_since=$es_now; (es_feed || es_over) || es_over) &)
exec 3<&- 4<&- 5<&-
fi
fi
[ "$es_input$es_about" != require ] || es_fail unfed
[ "$es_rows" ] || printf '${REPORT_MARK}\n' >&2
printf '${REPORT_MARK}%s\n' "started $$ $es_about"
if [ "$es_given" ]; then PATH=$es_path; else set -- -u PATH "$@"; fi
exec "$es_env" "$@"`.replaceAll("@{", "${");

/** The words of a command that start the launcher. Its arguments follow. */
export const LAUNCHER: readonly string[] = ["/bin/sh", "-c", SCRIPT, "sh"];
