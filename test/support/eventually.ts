/** The only way tests wait: for a fact, asked again and again until it holds or the deadline tells what was seen last. */
export async function eventually<T>(
  description: string,
  look: () => Promise<{ done: boolean; value: T }>,
  { timeout = 150_000, every = 50 }: { timeout?: number; every?: number } = {},
): Promise<T> {
  const until = Date.now() + timeout;
  for (;;) {
    const { done, value } = await look();
    if (done) return value;
    if (Date.now() > until) {
      throw new Error(
        `expected ${description} within ${String(timeout / 1000)} s; last seen: ${JSON.stringify(value, null, 1).slice(0, 4000)}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}

/** What is asked again as long as the answer is an error that `mayPass`. */
export async function answered<T>(
  description: string,
  ask: () => Promise<T>,
  mayPass: (error: unknown) => boolean = () => true,
): Promise<T> {
  const found = await eventually<[T] | string>(description, async () => {
    try {
      return { done: true, value: [await ask()] };
    } catch (error) {
      if (!mayPass(error)) throw error;
      return { done: false, value: String(error) };
    }
  });
  return (found as [T])[0];
}
