import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type ServerOptions } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { WebSocketServer } from "ws";
import { TestServer } from "../../src/testing.ts";

export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** A self-signed certificate and its key, as PEM, made by openssl. */
export function selfSigned(name: string): Certificate {
  const directory = mkdtempSync(join(tmpdir(), "certificate-"));
  try {
    const [cert, key] = [join(directory, "cert.pem"), join(directory, "key.pem")];
    const subject = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=DNS:${name}`];
    const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    execFileSync(
      "openssl",
      ["req", "-x509", ...curve, ...subject, "-days", "2", "-out", cert, "-keyout", key],
      {
        stdio: "ignore",
      },
    );
    return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A scripted exec-server behind TLS. It answers plain text as OpenSSL does, by closing the connection. */
export async function startTlsServer(options: ServerOptions) {
  const server = new TestServer();
  const http = createServer(options, (_, response) => response.writeHead(426).end());
  const sockets = new Set<Socket>();
  /** The certificates that clients have presented, by their names. */
  const clients: unknown[] = [];
  http.on("tlsClientError", () => {});
  http.on("connection", (socket: Socket) => sockets.add(socket.on("error", () => {})));
  const webSockets = new WebSocketServer({ server: http });
  webSockets.on("connection", (webSocket, request) => {
    const { subject } = (request.socket as TLSSocket).getPeerCertificate();
    if (subject) clients.push(subject.CN);
    const receiver = server.accept({
      send: (frame) => webSocket.send(frame),
      sendBytes() {},
      close: (code, reason) => webSocket.close(code, reason),
      drop: () => webSocket.terminate(),
      reset: () => webSocket.terminate(),
      dropAfterBytes() {},
      failThenClose() {},
      closeThenFail() {},
      pause() {},
      resume() {},
    });
    webSocket.on("message", (data) => receiver.onFrame(String(data)));
    webSocket.on("close", (closeCode) => receiver.onEnd({ closeCode }));
  });
  http.listen(0, "localhost");
  await once(http, "listening");
  return {
    server,
    clients,
    url: `wss://localhost:${(http.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      webSockets.close();
      http.close();
      for (const socket of sockets) socket.destroy();
      await once(http, "close");
    },
  };
}
