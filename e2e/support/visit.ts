import { chromium } from "@playwright/test";
import { CHROMIUM_ARGS, provideChromium } from "./browser.ts";

/** Opens the page in a headless browser and runs a command in its terminal. Returns the line with the expected output. */
export async function visit(url: string, command: string, expected: string): Promise<string> {
  const browser = await chromium.launch({ executablePath: provideChromium(), args: CHROMIUM_ARGS });
  try {
    const page = await browser.newPage();
    await page.goto(url);
    const line = page.locator("#terminal .xterm-rows > div");
    // Input before the prompt would be lost.
    await line.filter({ hasText: /[$#]/ }).first().waitFor();
    await page.locator("#terminal").click();
    await page.keyboard.type(`${command}\n`);
    const found = line.filter({ hasText: expected });
    await found.waitFor();
    return (await found.innerText()).trim();
  } finally {
    await browser.close();
  }
}
