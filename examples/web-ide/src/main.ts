import "./style.css";
import { LazyExecServerClient, webSocket } from "exec-server-sdk";
import { getConnection, getWorkspace } from "./api.ts";
import { showConnection } from "./badge.ts";
import { showView } from "./dom.ts";
import { Editor } from "./editor.ts";
import { FileTree } from "./file-tree.ts";
import { attempt } from "./notice.ts";
import { setUpServerButtons } from "./server-buttons.ts";
import { setUpSplitter } from "./splitter.ts";
import { TerminalPanel } from "./terminal.ts";

// One client for the whole page. The first use by the tree, the editor or the terminal connects.
const client = new LazyExecServerClient({
  transport: webSocket(({ signal }) => getConnection(signal)),
});

showConnection(client);
setUpServerButtons();
setUpSplitter();
for (const button of document.querySelectorAll<HTMLElement>("[data-show]")) {
  button.addEventListener("click", () => showView(button.dataset["show"] as Parameters<typeof showView>[0]));
}
showView("terminal");

attempt("Could not open the workspace", async () => {
  const { root } = await getWorkspace();
  const tree = new FileTree({ fs: client.fs, root, onOpen: (path) => editor.open(path) });
  const editor = new Editor({ fs: client.fs, onSelect: (path) => tree.select(path) });
  const terminal = new TerminalPanel({ environment: client, cwd: root });
  // Terminal and tree load concurrently and share one connection.
  void terminal.open();
  await tree.refresh();
});
