import { expect, test } from "vitest";
import { Metrics } from "../../../src/gateway/command/metrics.ts";
import type { GatewayEvent } from "../../../src/gateway.ts";

const EVENT: GatewayEvent = {
  type: "connected",
  id: "7",
  at: 0,
  address: "192.0.2.1",
  origin: "https://ide.example",
  user: "ada",
  bytes: 0,
  bytesFromPage: 0,
  durationMs: 500,
};

test("counts events by reason, without addresses, users or origins", () => {
  const metrics = new Metrics("1.2.3");
  for (const type of ["connected", "ready"] as const) metrics.count({ ...EVENT, type });
  metrics.count({ ...EVENT, type: "closed", reason: "idle", bytes: 30, bytesFromPage: 10 });
  for (const reason of ["origin", "unauthorized", "unauthorized"] as const) {
    metrics.count({ ...EVENT, type: "refused", reason });
  }
  const text = metrics.text({ pages: 3, maxPages: 100, isReady: true, lostLogLines: 4 });
  const samples = text.split("\n").filter((line) => line.startsWith("exec_server_gateway_"));
  expect(samples).toEqual([
    'exec_server_gateway_info{version="1.2.3"} 1',
    "exec_server_gateway_ready 1",
    "exec_server_gateway_pages 3",
    "exec_server_gateway_pages_limit 100",
    "exec_server_gateway_connected_total 1",
    'exec_server_gateway_refused_total{reason="origin"} 1',
    'exec_server_gateway_refused_total{reason="unauthorized"} 2',
    'exec_server_gateway_closed_total{reason="idle"} 1',
    'exec_server_gateway_bytes_total{direction="from_page"} 10',
    'exec_server_gateway_bytes_total{direction="to_page"} 20',
    "exec_server_gateway_dial_seconds_sum 0.5",
    "exec_server_gateway_dial_seconds_count 1",
    "exec_server_gateway_session_seconds_sum 0.5",
    "exec_server_gateway_session_seconds_count 1",
    "exec_server_gateway_log_lines_lost_total 4",
  ]);
  expect(text).not.toMatch(/ada|192\.0\.2|ide\.example/);
  // The exposition format: each line is a comment or a sample.
  for (const line of text.trimEnd().split("\n")) {
    expect(line).toMatch(/^(# (HELP|TYPE) [a-z_]+ .+|[a-z_]+(\{[a-z]+="[^"\n]*"\})? [\d.e+-]+)$/);
  }
});
