import "./styles/index.css";
import { LazyExecServerClient, remotePath, webSocket } from "exec-server-sdk";
import { CountedWebSocket } from "./connection/callers.ts";
import { showConnection } from "./connection/strip.ts";
import { Editor } from "./editor/editor.ts";
import { FileTree } from "./files/file-tree.ts";
import { getConnection, getWorkspace } from "./page/api.ts";
import { byId, showView } from "./page/dom.ts";
import { setUpSplitters } from "./page/layout.ts";
import { attempt } from "./page/notice.ts";
import { setUpPanes } from "./page/panes.ts";
import { FileIndex } from "./palette/file-index.ts";
import { showKeyboardHelp } from "./palette/keyboard-help.ts";
import { type Command, Palette } from "./palette/palette.ts";
import { onShortcuts } from "./palette/shortcuts.ts";
import { PreviewPane } from "./preview/preview-pane.ts";
import { ProcessList } from "./processes/process-list.ts";
import { ProcessTracker } from "./processes/tracker.ts";
import { TerminalTabs } from "./terminal/terminal-tabs.ts";

// One client for the whole page. The first use by the tree, the editor or a terminal connects.
const client = new LazyExecServerClient({
  transport: webSocket(({ signal }) => getConnection(signal), { WebSocket: CountedWebSocket }),
  // Shorter than the default, so that the demo soon shows the loss of a frozen server: after about 15 seconds.
  keepAlive: { intervalMs: 5_000 },
});
const tracker = new ProcessTracker(client);

showConnection(client);
setUpPanes();
setUpSplitters();
new PreviewPane();
showView("terminal");
byId("keyboard-help").addEventListener("click", showKeyboardHelp);

attempt("Could not open the workspace", async () => {
  const { root } = await getWorkspace();
  const tree = new FileTree({
    fs: client.fs,
    root,
    onOpen: (path, options) => editor.open(path, options),
    onMoved: (from, to) => editor.moved(from, to),
    onDeleted: (path) => editor.deleted(path),
  });
  const editor = new Editor({
    environment: client,
    isConnected: () => client.state === "connected",
    onSelect: (path) => tree.select(path),
  });
  new ProcessList({ tracker, cwd: root });
  const terminals = new TerminalTabs({ environment: client, tracker, cwd: root });
  const palette = new Palette({
    index: new FileIndex(client.fs, root),
    onOpen: (path) => editor.open(path, { focus: true }),
    commands: [
      { ...commandOf("save"), keys: "Ctrl S" },
      { label: "Close file", run: () => editor.close() },
      ...[
        "new-file",
        "new-folder",
        "refresh",
        "new-terminal",
        "open-port",
        "callers",
        "kill",
        "start",
        "freeze",
      ].map(commandOf),
      { label: "Keyboard", keys: "F1", run: showKeyboardHelp },
    ],
  });
  onShortcuts(
    {
      "Control+p": () => palette.open(),
      "Control+Shift+p": () => palette.open("> "),
      "Control+s": () => editor.save(),
      f1: showKeyboardHelp,
    },
    ["Control+s"],
  );
  // Terminal, tree and editor load concurrently and share one connection.
  terminals.open();
  editor.open(remotePath.join(root, "README.md"), { show: false });
  await tree.refresh();
});

/** A button of the page as a command. */
function commandOf(id: string): Command {
  const button = byId<HTMLButtonElement>(id);
  return {
    get label() {
      return button.ariaLabel ?? button.textContent.trim();
    },
    isEnabled: () => !button.disabled,
    run: () => button.click(),
  };
}
