/** What makes an operation take more round trips than its floor: facts of the real server. */
export const RULES = {
  handshake:
    "The response to `initialize` is the proof that an exec-server has answered, and has what requests are made of: the " +
    "session, the working directory for `cwd`, the capabilities. `get()` hands out initialized clients only.",
  "one frame":
    "`fs/readFile` answers a file of any size in one frame (50 MiB: 69,905,068 characters), and nothing cancels it. So the " +
    "size is asked first.",
  "no order":
    "A server with `--concurrent-requests` keeps no order: writes that don't wait for each other change places, about half of the `fs/readBlock` and `fs/writeBlock` that were " +
    "sent along with their `fs/open` were answered `unknown file handle`, and a close may overtake a write.",
  "held responses":
    "The server leaves Nagle's algorithm on: of several small responses to requests sent together, it holds all but the " +
    "first until that one is acknowledged, which is a round trip. So what can be sent along saves nothing where responses " +
    "are small, and what most calls don't need is not sent along.",
  "text file busy":
    "While the server holds a file open for writing, the program in it can't be started, and with `--concurrent-requests` " +
    "nothing keeps a start behind the close. So the end of a write waits for the response to `fs/close`.",
  "copies onto itself":
    "`fs/copy` of a file onto itself, also through a link, empties it and answers ok. So the destination is looked at, and " +
    "what exists there is compared with the source.",
  "removes directories":
    "`fs/remove` with `recursive: false` removes an empty directory, which Node refuses. So the path is looked at first.",
  "one error":
    "A missing program and a missing working directory have the same error. So the directory is looked at afterwards.",
  "one level":
    "`fs/readDirectory` lists one directory, and `fs/walk` loses names with line ends or tabs. So each level waits for the " +
    "one above it.",
  "hidden links":
    "`fs/readDirectory` reports a link as its target. What a walk does not list may be a link, and is looked at.",
  "links as targets":
    "`fs/getMetadata` of a link says that it is one, but has the size and the times of its target. So a shell is asked for " +
    "those of the link.",
  "a relay":
    "Which program of the server's machine can make a connection decides what is written to it, so it is looked for before, " +
    "once per session.",
} as const;
