import "./styles/index.css";
import { LazyExecServerClient, webSocket } from "exec-server-sdk";
import { showConnection } from "./connection/badge.ts";
import { setUpServerButtons } from "./connection/server-buttons.ts";
import { Editor } from "./editor/editor.ts";
import { FileTree } from "./files/file-tree.ts";
import { getConnection, getWorkspace } from "./page/api.ts";
import { showView } from "./page/dom.ts";
import { attempt } from "./page/notice.ts";
import { setUpSplitter } from "./page/splitter.ts";
import { TerminalPanel } from "./terminal/terminal-panel.ts";

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
