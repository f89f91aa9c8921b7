/**
 * The picture that a member chose, kept on this device: WeChat hands out a temporary file, and the login service keeps
 * https URLs only. Where you have a place for pictures, upload the file with `wx.uploadFile` instead and save its URL
 * with `client.updateMe({ avatar })`.
 */

const keyOf = (userId: string): string => `avatar ${userId}`;

/** The file's path, or `""`. */
export function avatarOf(userId: string): string {
  const path: unknown = wx.getStorageSync(keyOf(userId));
  return typeof path === 'string' ? path : '';
}

/** Keeps a temporary file. */
export function keepAvatar(userId: string, temporaryPath: string): void {
  forgetAvatar(userId);
  wx.setStorageSync(keyOf(userId), wx.getFileSystemManager().saveFileSync(temporaryPath));
}

/** Deletes the file: a deleted account leaves nothing behind. */
export function forgetAvatar(userId: string): void {
  const path = avatarOf(userId);
  wx.removeStorageSync(keyOf(userId));
  if (path) wx.getFileSystemManager().removeSavedFile({ filePath: path });
}
