/** The SDK of the frame, for the page around it. */
import { LazyExecServerClient, webSocket } from "exec-server-sdk";

window.sdk = { LazyExecServerClient, webSocket };
