/**
 * The relay in bash, which can't end its own direction: the end of its input ends both. `dd` reports how many bytes the
 * other side has sent.
 */
export const BASH = `exec 3<>"/dev/tcp/$1/$2" || exit 1
echo o >&2
{ dd bs=64k <&3 || kill -- -$$; } &
cat >&3
kill -- -$$`;
