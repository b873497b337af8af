/** What a sandboxed process or file operation may touch. Shapes probed on server 0.169.0. */
export type SandboxPath =
  | { readonly type: "path"; readonly path: string }
  | { readonly type: "glob_pattern"; readonly pattern: string }
  | {
      readonly type: "special";
      readonly value: {
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

export type SandboxPermissions =
  | {
      readonly type: "managed";
      readonly file_system:
        | {
            readonly type: "restricted";
            readonly entries: readonly { readonly path: SandboxPath; readonly access: string }[];
            readonly [member: string]: unknown;
          }
        | { readonly type: "unrestricted" };
      readonly network: "restricted" | "enabled";
    }
  | { readonly type: "disabled" }
  | { readonly type: "external"; readonly network: "restricted" | "enabled" };

/** The sandbox to work in; passed to the server as it is, but for directories that nothing in it depends on. */
export interface SandboxContext {
  readonly permissions: SandboxPermissions;
  /** @default "disabled" */
  readonly windowsSandboxLevel?: string | undefined;
  /** As a `file:` URL. Sent only if an entry depends on it. */
  readonly cwd?: string | undefined;
  /** As `file:` URLs. An empty list means that there are none, and is kept. */
  readonly workspaceRoots?: readonly string[] | undefined;
  readonly windowsSandboxPrivateDesktop?: boolean | undefined;
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
