/** Telling a graphics card from a program that imitates one. */
import type { BackendName } from '../engine/protocol.js';

/** How such programs call themselves. */
const SOFTWARE = /SwiftShader|llvmpipe|softpipe|Basic Render/i;

/**
 * Whether a GPU backend would run on the processor. It works, but is slower than wasm, so it is not worth measuring.
 *
 * @param name The backend.
 */
export async function isSoftware(name: BackendName): Promise<boolean> {
  if (name === 'webgl') {
    const gl = document.createElement('canvas').getContext('webgl2');
    const about = gl?.getExtension('WEBGL_debug_renderer_info');
    if (!gl || !about) return false;
    return SOFTWARE.test(gl.getParameter(about.UNMASKED_RENDERER_WEBGL) as string);
  }
  if (name !== 'webgpu') return false;
  const { gpu } = navigator as { gpu?: { requestAdapter: () => Promise<Adapter | null> } };
  const adapter = await gpu?.requestAdapter();
  return adapter?.info.isFallbackAdapter ?? SOFTWARE.test(adapter?.info.architecture ?? '');
}

/** What is needed of a GPUAdapter; older engines have no `isFallbackAdapter` there. */
interface Adapter {
  info: { isFallbackAdapter?: boolean; architecture: string };
}
