/**
A quota of `perSecond` API calls: a token bucket with the calls of one second, full at first.

@returns a function that takes one call; false if the quota is exceeded
*/
export const createQuota = (perSecond: number, now: () => Date): (() => boolean) => {
  let room = perSecond;
  let filledAt = now().getTime();
  return () => {
    const at = now().getTime();
    room = Math.min(perSecond, room + (Math.max(0, at - filledAt) / 1000) * perSecond);
    filledAt = at;
    if (room < 1) return false;
    room -= 1;
    return true;
  };
};
