/**
A quota of `perSecond` API calls, as a bucket that holds a second's worth and is full at first.

@returns whether there is room for one more call now
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
