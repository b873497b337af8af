/** The preload script. It is sandboxed, so it is built as CommonJS and requires Electron only. */
import { contextBridge, ipcRenderer } from "electron";

// A port can not cross the context bridge. Messages of the window reach the preload script too.
window.addEventListener("message", ({ source, data, ports }) => {
  if (source !== window || data !== "exec-server-port") return;
  ipcRenderer.postMessage("exec-server-port", null, [...ports]);
});

contextBridge.exposeInMainWorld("demo", {
  killServer: () => ipcRenderer.send("kill-server"),
});
