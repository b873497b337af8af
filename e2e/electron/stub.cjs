/**
 * Stands in for the `electron` of a main process where there is no Electron: enough of it to run the example. Its page
 * is a thread that plays the renderer; message ports are those of `node:worker_threads`, in the shape of Electron's. The
 * test, which is this process's parent, gives the orders.
 */
const { EventEmitter } = require("node:events");
const { readFileSync } = require("node:fs");
const { Worker } = require("node:worker_threads");

class MessagePortMain extends EventEmitter {
  #port;

  constructor(port) {
    super();
    this.#port = port;
  }

  start() {
    this.#port.on("message", (data) => this.emit("message", { data, ports: [] }));
    this.#port.on("close", () => this.emit("close"));
  }

  postMessage(message) {
    this.#port.postMessage(message);
  }

  close() {
    this.#port.close();
  }
}

const ipcMain = new EventEmitter();

class BrowserWindow {
  constructor({ webPreferences }) {
    this.webPreferences = webPreferences;
    this.webContents = { on() {}, setWindowOpenHandler() {} };
  }

  async loadURL(url) {
    process.send({ id: 0, result: { url, webPreferences: this.webPreferences } });
    const page = new Worker(readFileSync(process.env.PAGE_PROGRAM, "utf8"), {
      eval: true,
      workerData: { onePortOnly: false },
    });
    page.on("message", (message) => {
      if (!("port" in message)) process.send(message);
      else handOver(url, message.port);
    });
    process.on("message", ({ id, name, args }) => {
      const order = orders[name];
      if (order) process.send({ id, result: order(...args) });
      else page.postMessage({ id, name, args });
    });
  }
}

/** Returns whether anybody listens to the port. */
function handOver(url, port) {
  const main = new MessagePortMain(port);
  ipcMain.emit("exec-server-port", { senderFrame: { url }, ports: [main] });
  return main.listenerCount("message") > 0;
}

const orders = {
  killServer: () => ipcMain.emit("kill-server", {}),
  handOverFrom: (url) => {
    const { port1 } = new MessageChannel();
    const isTaken = handOver(url, port1);
    port1.close();
    return isTaken;
  },
  quit: () => void setImmediate(() => app.quit()),
};

const app = new EventEmitter();
app.whenReady = async () => {};
app.quit = () => {
  let isPrevented = false;
  app.emit("will-quit", {
    preventDefault: () => {
      isPrevented = true;
    },
  });
  if (!isPrevented) process.exit(0);
};

exports.app = app;
exports.BrowserWindow = BrowserWindow;
exports.ipcMain = ipcMain;
