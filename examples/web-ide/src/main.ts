import "./styles/index.css";
import { LazyExecServerClient, webSocket } from "exec-server-sdk";
import { CountedWebSocket } from "./connection/callers.ts";
import { showConnection } from "./connection/strip.ts";
import { Editor } from "./editor/editor.ts";
import { FileTree } from "./files/file-tree.ts";
import { getConnection, getWorkspace } from "./page/api.ts";
import { showView } from "./page/dom.ts";
import { setUpSplitters } from "./page/layout.ts";
import { attempt } from "./page/notice.ts";
import { setUpPanes } from "./page/panes.ts";
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

attempt("Could not open the workspace", async () => {
  const { root } = await getWorkspace();
  const tree = new FileTree({ fs: client.fs, root, onOpen: (path) => editor.open(path) });
  const editor = new Editor({ fs: client.fs, onSelect: (path) => tree.select(path) });
  new ProcessList({ tracker, cwd: root });
  // Terminal and tree load concurrently and share one connection.
  new TerminalTabs({ environment: client, tracker, cwd: root }).open();
  await tree.refresh();
});
