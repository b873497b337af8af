/** What a sandboxed process or file operation may touch. Shapes probed on server 0.169.0. */
export type SandboxPath =
  | {
      readonly type: "path";
      /** The path and everything below it. */
      readonly path: string;
    }
  | {
      readonly type: "glob_pattern";
      /** A pattern of paths; a relative one depends on `cwd`. */
      readonly pattern: string;
    }
  | {
      readonly type: "special";
      /** A place that the server works out. */
      readonly value: {
        /** Which; project roots and the working directory depend on `cwd` and `workspaceRoots`. */
        readonly kind:
          | "root"
          | "minimal"
          | "current_working_directory"
          | "project_roots"
          | "tmpdir"
          | "slash_tmp"
          | "unknown";
        readonly [member: string]: unknown;
      };
    };

/** What a sandbox allows: what these entries say, everything, or what another sandbox around the server does. */
export type SandboxPermissions =
  | {
      readonly type: "managed";
      /** The files: those of the entries, or all. */
      readonly file_system:
        | {
            readonly type: "restricted";
            /** Each a place, and how it may be used. */
            readonly entries: readonly {
              /** The place. */
              readonly path: SandboxPath;
              /** For example `"read"` or `"write"`. */
              readonly access: string;
            }[];
            readonly [member: string]: unknown;
          }
        | { readonly type: "unrestricted" };
      /** Whether all of the network is open. */
      readonly network: "restricted" | "enabled";
    }
  | { readonly type: "disabled" }
  | {
      readonly type: "external";
      /** Whether all of the network is open. */
      readonly network: "restricted" | "enabled";
    };

/** The sandbox to work in; passed to the server as it is, but for directories that nothing in it depends on. */
export interface SandboxContext {
  /** What is allowed. */
  readonly permissions: SandboxPermissions;
  /** How strict the sandbox of a Windows server is. @default "disabled" */
  readonly windowsSandboxLevel?: string | undefined;
  /** The directory that relative entries are of, as a `file:` URL. Sent only if an entry depends on it. @default none */
  readonly cwd?: string | undefined;
  /** The project's directories, as `file:` URLs. An empty list means that there are none, and is kept. @default none */
  readonly workspaceRoots?: readonly string[] | undefined;
  /** On a Windows server: whether the sandbox has a desktop of its own. @default left to the server */
  readonly windowsSandboxPrivateDesktop?: boolean | undefined;
  /** On a Linux server: whether it uses its older sandbox, Landlock. @default left to the server */
  readonly useLegacyLandlock?: boolean | undefined;
}

/** The form on the wire: without the directories of this machine that no entry is relative to. */
export function wireSandbox(sandbox: SandboxContext | null | undefined): SandboxContext | null {
  if (!sandbox) return null;
  const { cwd, workspaceRoots, windowsSandboxLevel = "disabled", ...rest } = sandbox;
  const relative = dependsOnDirectory(sandbox.permissions);
  return {
    ...rest,
    windowsSandboxLevel,
    ...(relative && cwd !== undefined ? { cwd } : {}),
    ...(workspaceRoots !== undefined && (relative || workspaceRoots.length === 0) ? { workspaceRoots } : {}),
  };
}

function dependsOnDirectory(permissions: SandboxPermissions): boolean {
  if (permissions?.type !== "managed" || permissions.file_system.type !== "restricted") return false;
  return permissions.file_system.entries.some(({ path }) => {
    if (path.type === "special") return /^(current_working_directory|project_roots)$/.test(path.value.kind);
    return path.type === "glob_pattern" && !/^([/\\]|[a-z]:[/\\]|file:)/i.test(path.pattern);
  });
}
