import { mkdtempSync, readdirSync, rmSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { reportLine } from "../../src/process/launcher/report.ts";
import { gone } from "../support/command-lines.ts";
import { failureOf } from "../support/failure.ts";
import { realClient } from "../support/real-client.ts";
import { scriptedProcess, startsProcesses } from "../support/scripted-process.ts";
import { output, QuietServer, ready } from "../support/scripted-server.ts";

it("leaves no fifo on the server if it is aborted while that has a name", async () => {
  await using real = await realClient();
  const folder = mkdtempSync(join(tmpdir(), "abandoned-"));
  const name = `abandoned-${crypto.randomUUID()}`;
  let controller = new AbortController();
  let seen = 0;
  const watcher = watch(folder, () => {
    seen++;
    controller.abort("no");
  });
  for (let n = 0; n < 20; n++) {
    controller = new AbortController();
    const options = { stdin: "pipe", env: { TMPDIR: folder }, signal: controller.signal } as const;
    expect(await failureOf(real.client.start(["sh", "-c", "sleep 55", name], options))).toBe("no");
  }
  watcher.close();
  expect(seen).toBeGreaterThanOrEqual(20);
  await gone(name);
  expect(readdirSync(folder)).toEqual([]);
  rmSync(folder, { recursive: true });
});

it.each(["before", "after"])(
  "is terminated when the launcher has reported, if it is aborted %s the response",
  async (when) => {
    await using scripted = await scriptedProcess(undefined, ready(startsProcesses(new QuietServer())));
    scripted.server.hold("process/start");
    const controller = new AbortController();
    const options = { processId: "q", stdin: "pipe", signal: controller.signal } as const;
    const starting = failureOf(scripted.client.start(["program"], options));
    const request = await scripted.connection.request("process/start", 2);
    if (when === "before") controller.abort("no");
    scripted.connection.answer(request, { processId: "q" });
    await scripted.client.status();
    controller.abort("no");
    expect(await starting).toBe("no");
    await scripted.client.status();
    expect(scripted.server.requests("process/terminate")).toEqual([]);
    output(scripted.connection, "q", 1, reportLine(7, "fed"));
    expect((await scripted.connection.request("process/terminate")).params).toEqual({ processId: "q" });
  },
);
