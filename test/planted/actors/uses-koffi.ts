// breaks: koffi-only-in-platform-native
import koffi from 'koffi';

export const libc = koffi.load(null);
