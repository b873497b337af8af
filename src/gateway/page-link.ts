/** Pings without a sign of life after which a peer is considered gone. */
export const MAX_UNANSWERED_PINGS = 4;

/** What is wrong with a peer whose connection is ended for it. */
export type PeerFault =
  /** It left too many pings unanswered. */
  | "silent"
  /** It broke the WebSocket protocol. */
  | "protocol"
  /** Its message is over the limit. */
  | "message-too-long";

/** The same in words, about a peer. */
export const FAULT_TEXTS: Readonly<Record<PeerFault, string>> = {
  silent: `it left ${MAX_UNANSWERED_PINGS} pings unanswered`,
  protocol: "it broke the WebSocket protocol",
  "message-too-long": "its message is too long",
};

/** The socket of a page as its session sees it, however the frames are passed on. */
export interface PageLink {
  /** Calls back when the page sends nothing any more: all that came before was passed on. At once if that is past. */
  onEnd(
    listener: (end: { readonly closeCode: number; readonly fault?: PeerFault | undefined }) => void,
  ): void;
  /** Resolves when the socket is closed. */
  closed(): Promise<void>;
  /** Whether the page has not answered the last ping. */
  readonly hasMissedPing: boolean;
  /** Whether reading from the page is paused by this side. */
  readonly isPaused: boolean;
  /** Called when messages of the page arrive. Also for parts of a message where its frames are relayed. */
  onMessage: () => void;
  /** Pings the page, or disconnects one that has left too many pings unanswered. */
  beat(): void;
  /** Resolves when everything sent has left this process, or the socket is closed. */
  drained(): Promise<void>;
  /** Discards what the page has sent and sends: there is no exec-server to pass it on to. */
  discard(): void;
  /** Starts the closing handshake, behind what is queued. Returns false when it had begun already. */
  close(code: number, reason: string): boolean;
  /** Resolves when the socket is closed: by the page within a second, or else from this side. */
  finish(): Promise<void>;
}
