/** Between page and main process. Sandboxed: built as CommonJS, and with nothing to require but Electron. */
import { contextBridge, ipcRenderer } from "electron";

// A port can't cross the context bridge, but the window's own messages reach this side as well.
window.addEventListener("message", ({ source, data, ports }) => {
  if (source !== window || data !== "exec-server-port") return;
  ipcRenderer.postMessage("exec-server-port", null, [...ports]);
});

contextBridge.exposeInMainWorld("demo", {
  killServer: () => ipcRenderer.send("kill-server"),
});
