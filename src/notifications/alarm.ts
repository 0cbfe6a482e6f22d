export interface Alarm {
  /**
   * Forgets earlier wake-ups. Call it before looking for work, so that work that arrives during the look ends
   * the next sleep.
   */
  reset(): void;
  /** Ends the sleep, or the next one. */
  wake(): void;
  /** Resolves once `ms` have passed, or when woken; without `ms` only when woken. */
  sleep(ms?: number): Promise<void>;
}

/** Lets a loop that has nothing to do sleep until there may be something. */
export function createAlarm(): Alarm {
  let isWoken = false;
  let end = () => {};
  return {
    reset: () => void (isWoken = false),
    wake() {
      isWoken = true;
      end();
    },
    async sleep(ms) {
      if (isWoken) return;
      await new Promise<void>((resolve) => {
        const timer = ms === undefined ? undefined : setTimeout(resolve, ms);
        end = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    },
  };
}
