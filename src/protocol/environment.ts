import * as z from "zod/mini";

/** Shapes seen on server 0.169.0; every member is optional, because older servers send fewer. */
export const environmentSchemas = /* @__PURE__ */ (() => {
  const info = z.looseObject({
    shell: z.nullish(z.looseObject({ name: z.string(), path: z.string() })),
    executorVersion: z.nullish(z.string()),
    providerId: z.nullish(z.string()),
    cwd: z.nullish(z.string()),
    userHomeDir: z.nullish(z.string()),
    platformOs: z.nullish(z.string()),
    prependPathDirs: z.nullish(z.array(z.string())),
    temporaryDirectories: z.nullish(z.array(z.string())),
    tempDir: z.nullish(z.string()),
    capabilities: z.nullish(z.record(z.string(), z.unknown())),
  });
  return {
    info,
    status: z.looseObject({ status: z.string() }),
    initializeResult: z.looseObject({ sessionId: z.string(), environmentInfo: z.nullish(info) }),
  };
})();

/** The environment as the wire has it: paths are `file:` URIs. */
export type WireEnvironmentInfo = z.infer<typeof environmentSchemas.info>;
/** `status` is `"ready"` on a server that takes requests. */
export type EnvironmentStatus = z.infer<typeof environmentSchemas.status>;

export interface InitializeParams {
  clientName: string;
  /** Always null: this client never resumes, a new connection is a new session. */
  resumeSessionId: null;
}
