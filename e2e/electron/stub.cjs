/**
 * Replaces the `electron` module of a main process, with the parts that the example uses. The page is a thread. Message
 * ports are those of `node:worker_threads` with the interface of Electron's. The parent process, a test, sends commands.
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
      else offerPort(url, message.port);
    });
    process.on("message", ({ id, name, args }) => {
      const command = commands[name];
      if (command) process.send({ id, result: command(...args) });
      else page.postMessage({ id, name, args });
    });
  }
}

/** Returns whether the main process listens to the port. */
function offerPort(url, port) {
  const main = new MessagePortMain(port);
  ipcMain.emit("exec-server-port", { senderFrame: { url }, ports: [main] });
  return main.listenerCount("message") > 0;
}

const commands = {
  killServer: () => ipcMain.emit("kill-server", {}),
  offerPortFrom: (url) => {
    const { port1 } = new MessageChannel();
    const isAccepted = offerPort(url, port1);
    port1.close();
    return isAccepted;
  },
  quit: () => void setImmediate(() => app.quit()),
};

const app = new EventEmitter();
app.isPackaged = process.env.IS_PACKAGED === "true";
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
