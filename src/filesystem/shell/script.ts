/**
 * The file operations that the protocol does not have, as one script of a POSIX shell. It runs in dash, bash, busybox, mksh
 * and zsh, with the tools of GNU, BSD or busybox.
 *
 * Arguments: `$1` the operation, `$2` a path, then what the operation needs. Paths are absolute, so none is taken for an
 * option, and written as `printf %b` reads them, so that a name can have any byte. A failure is the last line of standard
 * error, in the words of the system's errors: checks of its own come before the tools, whose words differ. A standard error
 * without `es_ran` is not the script's, but that of a sandbox that could not start the shell.
 *
 * - `es_up` looks why there is nothing at a path: a parent is missing, is no directory, or can't be searched.
 * - `mv` renames, as the system's call that perl has. The program `mv` would copy to another file system, move into a
 *   directory, and remove one of two links to the same file, so that this is looked at first. Two mounts of one file system
 *   count as two: `es_fs` prints the device and the mount of a directory. Where it has no `-T` (BSD), it can't replace a
 *   directory or a link to one; that of GNU can't replace a file by a link to it.
 * - `ln` never makes a link inside of a directory that another call has just put, or linked, at the path.
 * - `put` opens a file by its flag (w, a or x for wx), and writes `$data`, or `$5` bytes of its input. `$4` is the mode of
 *   a new file, in decimal, or nothing. Such a file is private until it has its mode, before the first byte. `set -C` makes
 *   creating a file exclusive. It prints a line if it has created the file. `es_write` writes at most so many bytes with
 *   one call of the system, so that appends do not mix; where `dd` can't, in pieces.
 * - `pack` prints a directory as an archive, without the files that macOS adds: for each line of its input 64 pieces of at
 *   most 64 KiB, and on standard error how much that was, in the words of `dd`, which never reads too much.
 * - `room` makes the directory for `unpack`, which unpacks a file: the file has no name any more when that begins, so nothing
 *   can leave it behind. The shell goes to the directory, because GNU's tar would decode backslashes in the argument of -C.
 *   A file or a link in the place of a directory is replaced; for busybox here, because its tar would follow the link.
 *
 * `@{` stands for the shell's dollar and brace, which a template literal would evaluate.
 */
export const FILE_SCRIPT = String.raw`echo es_ran >&2
es_no() { printf '%s\n' "$1" >&2; exit 1; }
es_has() { [ -e "$1" ] || [ -L "$1" ]; }
es_dir() { [ -d "$1" ] && ! [ -L "$1" ]; }
es_none='No such file or directory' es_exists='File exists'
es_up() {
es_at=@{1%/} es_at=@{es_at%/*}
[ -d "$es_at/" ] && [ -x "$es_at/" ] && return
while [ "$es_at" ] && ! [ -e "$es_at" ]; do es_at=@{es_at%/*}; done
[ -d "$es_at/" ] || es_no 'Not a directory'
[ -x "$es_at/" ] || es_no 'Permission denied'
es_no "$es_none"
}
es_gone() {
es_up "$1"
[ -e "@{1%/}" ] && es_no 'Not a directory'
es_no "$es_none"
}
es_need() { es_has "$1" || es_gone "$1"; }
es_fs() (
stat -c %d "$1" 2>/dev/null || stat -f %d "$1"
[ -r /proc/self/mountinfo ] && cd -P "$1" || exit
es_dir=$(pwd -P) es_dir=@{es_dir%/}/ es_top=
while read -r es_id es_x es_x es_x es_mount es_x; do
case $es_mount in *\\*) es_mount=$(printf %b "$es_mount"); esac
case $es_dir in "@{es_mount%/}"/*) [ @{#es_mount} -lt @{#es_top} ] || es_top=$es_mount es_fs=$es_id; esac
done </proc/self/mountinfo
echo "$es_fs"
)
es_write() {
dd if=/dev/null iflag=fullblock status=none 2>/dev/null && exec dd "bs=$1" count=1 iflag=fullblock status=none
exec head -c "$1"
}
es_tool() { command -v $1 >/dev/null || { echo "$1: not found" >&2; exit 127; }; }
a=$(printf %b. "$2") a=@{a%.} b=$3
case $1 in mv | ln | unpack) b=$(printf %b. "$3") b=@{b%.}; esac
case $1 in
mv)
command -v perl >/dev/null && exec perl -e 'rename $ARGV[0], $ARGV[1] or die "$!\n"' -- "$a" "$b"
es_need "$a"
es_up "$a"
es_from=$es_at
es_up "$b"
case $a in */) es_dir "@{a%/}" || es_no 'Not a directory'; esac
case $b in */) es_dir "$a" || es_no 'Not a directory'; esac
[ "$a" != "$b" ] || exit 0
[ -L "$a" ] || [ -L "$b" ] || ! [ "$a" -ef "$b" ] || exit 0
if es_dir "$b"; then
es_dir "$a" || es_no 'Is a directory'
[ -z "$(ls -A "$b")" ] || es_no 'Directory not empty'
elif es_has "$b"; then ! es_dir "$a" || es_no 'Not a directory'; fi
[ "$(es_fs "$es_from/")" = "$(es_fs "$es_at/")" ] || es_no 'Invalid cross-device link'
mv -fT "$a" "$b" 2>/dev/null && exit
shift $#
[ -d "$b" ] && set -- -T
exec mv -f "$@" "$a" "$b";;
chmod)
[ -e "$a" ] || es_gone "$a"
exec chmod "$3" "$a";;
ln)
! es_has "$a" || es_no "$es_exists"
es_up "$a"
[ "$b" ] || es_no "$es_none"
ln -sT -- "$b" "$a" 2>/dev/null && exit
! es_has "$a" || es_no "$es_exists"
exec ln -sn -- "$b" "$a";;
readlink)
es_need "$a"
[ -L "$a" ] || es_no 'Invalid argument'
exec readlink "$a";;
lstat)
es_need "$a"
[ -L "$a" ] || es_no 'Invalid argument'
stat -c '%s %.3Y %.3W' "$a" 2>/dev/null || stat -f '%z %Fm %FB' "$a";;
mkdir)
es_up "$a"
umask 077
exec mkdir "$a";;
put)
[ "$3" != x ] || ! es_has "$a" || es_no "$es_exists"
[ -d "$a" ] && es_no 'Is a directory'
es_up "$a"
es_mask=$(umask) es_new=
if ! [ -e "$a" ]; then
es_new=1
[ -z "$4" ] || umask 077
[ -L "$a" ] || { set -C; { true >"$a"; } 2>/dev/null || es_new=; set +C; }
fi
[ "$3$es_new" != x ] || ! es_has "$a" || es_no "$es_exists"
[ -z "$es_new" ] || echo new
case $3 in w) exec >"$a";; *) exec >>"$a";; esac
[ -z "$4" ] || [ -z "$es_new" ] || chmod "$(printf %o $(($4 & ~$(printf %d "0$es_mask"))))" "$a" || exit
if [ "$5" ]; then es_write "$5"; else printf %b "$data" | es_write 131072; fi;;
pack)
[ -d "$a/" ] || { es_need "$a"; es_no 'Not a directory'; }
es_tool tar
es_tool dd
export COPYFILE_DISABLE=1
exec 3<&0 4>&1
{ tar -cf - -C "$a" . <&- || echo "es_exit $?" >&2; } | while read -r es_go <&3; do
es_read=$(dd bs=65536 count=64 2>&1 >&4)
printf '%s\n' "$es_read" >&2
case $es_read in 0+0*) break;; esac
done;;
room)
es_tool tar
exec mkdir -p "$a";;
unpack)
exec <"$b" 3<"$b"
rm -f "$b"
cd "$a/" 2>/dev/null || es_no 'Permission denied'
case $(tar --help 2>&1) in *BusyBox*) tar -tf - <&3 2>/dev/null | while IFS= read -r es_name; do
case $es_name in ../* | */../*) ;; */) es_dir "./@{es_name%/}" || rm -f "./@{es_name%/}"; esac
done; esac
exec tar -xpof - 3<&-;;
esac`.replaceAll("@{", "${");
