/**
 * A page with React. In two terminals:
 *
 *   npm run gateway    prints the token
 *   npm start          serves the page at http://localhost:5173, where the token is entered
 *
 * `App.tsx` is all that an app needs. In development StrictMode mounts every component twice: the process of the first,
 * discarded mount is ended, and both mounts share one connection.
 */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import App from "./App.tsx";

createRoot(document.getElementById("root") as HTMLElement).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
