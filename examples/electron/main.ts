/** The main process, the only one with Node. It bridges each port of its page to a separate exec-server. */
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { app, BrowserWindow, ipcMain } from "electron";
import { type Bridge, bridge, type Transport } from "exec-server-sdk";
import { stdio } from "exec-server-sdk/node";

// The server of a bundler serves the page in development, and a packaged app loads its own file whatever the variable says.
const devServer = app.isPackaged ? undefined : process.env["ELECTRON_RENDERER_URL"];
const PAGE = devServer
  ? new URL(devServer).href
  : pathToFileURL(join(import.meta.dirname, "index.html")).href;
const bridges = new Set<Bridge>();

function execServer(): Transport {
  return stdio({
    command: process.env["EXEC_SERVER"] ?? "codex",
    args: ["exec-server", "--listen", "stdio", "--concurrent-requests", "8"],
    stderr: "inherit",
  });
}

ipcMain.on("exec-server-port", ({ senderFrame, ports: [port] }) => {
  // A port gives access to every command, so ports are accepted from the page of this app only.
  if (!port || senderFrame?.url !== PAGE) return;
  const made = bridge(port, execServer());
  bridges.add(made);
  void made.ended.then(({ side, reason, error }) => {
    bridges.delete(made);
    console.log(`bridge ended by the ${side}: ${error?.message ?? reason}`);
  });
});

// For the button of this demo. An app does not need this channel.
ipcMain.on("kill-server", closeBridges);

async function closeBridges(): Promise<void> {
  await Promise.all([...bridges].map((made) => made.close()));
}

function openWindow(): void {
  const window = new BrowserWindow({
    width: 800,
    height: 600,
    webPreferences: {
      preload: join(import.meta.dirname, "preload.cjs"),
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
    },
  });
  window.webContents.on("will-navigate", (event) => event.preventDefault());
  window.webContents.setWindowOpenHandler(() => ({ action: "deny" }));
  void window.loadURL(PAGE);
}

void app.whenReady().then(openWindow);
app.on("window-all-closed", () => app.quit());
app.on("will-quit", (event) => {
  if (bridges.size === 0) return;
  // Quit after every exec-server has ended.
  event.preventDefault();
  void closeBridges().then(() => app.quit());
});
