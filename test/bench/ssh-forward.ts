import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { unusedPort } from "../support/tcp-server.ts";

const SSHD = "/usr/sbin/sshd";

async function listens(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const isOpen = await once(socket, "connect").then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (isOpen) return;
    await sleep(50);
  }
}

/** Debian's sshd with keys of its own on a loopback port; undefined where it is not installed. */
export async function startSshServer() {
  if (!existsSync(SSHD)) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "ssh-"));
  for (const name of ["host", "user"]) {
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-f", join(folder, name)]);
  }
  const port = await unusedPort();
  const config = [
    `Port ${port}`,
    "ListenAddress 127.0.0.1",
    `HostKey ${join(folder, "host")}`,
    `AuthorizedKeysFile ${join(folder, "user.pub")}`,
    "StrictModes no",
    "UsePAM no",
    "PermitRootLogin yes",
    `PidFile ${join(folder, "pid")}`,
  ];
  writeFileSync(join(folder, "config"), `${config.join("\n")}\n`);
  // Where sshd confines itself before a login.
  mkdirSync("/run/sshd", { recursive: true });
  const server = spawn(SSHD, ["-D", "-f", join(folder, "config")], { stdio: "ignore" });
  await listens(port);
  return {
    port,
    /** `ssh -L` to a port of the server's machine, by way of this port. */
    async forward(way: number, remotePort: number) {
      const local = await unusedPort();
      const options = [
        ...[
          "-N",
          "-i",
          join(folder, "user"),
          "-p",
          String(way),
          "-L",
          `127.0.0.1:${local}:127.0.0.1:${remotePort}`,
        ],
        ...["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR"],
      ];
      const client = spawn("ssh", [...options, "127.0.0.1"], { stdio: ["ignore", "ignore", "inherit"] });
      await listens(local);
      return { port: local, close: () => client.kill() };
    },
    close() {
      server.kill();
      rmSync(folder, { recursive: true });
    },
  };
}
