/**
 * Variables that a worker gets: those of the system, of the runtime, of GPU drivers and of Node.js, and this program's own. Not
 * among them: tokens, passwords, proxies, and whatever else the environment of a daemon holds that no model needs to know.
 */
const GIVEN =
  /^(?:PATH|HOME|USER|LANG|LANGUAGE|LC_\w+|TZ|TERM|LD_LIBRARY_PATH|LD_PRELOAD|MALLOC_\w+|GLIBC_TUNABLES|NODE_OPTIONS|NODE_NO_WARNINGS|UV_THREADPOOL_SIZE|OPENSSL_CONF|PTQ_\w+|OMP_\w+|KMP_\w+|GOMP_\w+|ORT_\w+|CUDA_\w+|NVIDIA_\w+|CUDNN_\w+|CUBLAS_\w+|TF32_\w+|TRT_\w+|ROCM?_\w+|HIP_\w+|HSA_\w+|VK_\w+|MESA_\w+|LIBGL_\w+|GALLIUM_\w+|LP_\w+|LVP_\w+|DRI_\w+|EGL_\w+|__EGL_\w+|__GLX?_\w+|XDG_RUNTIME_DIR|XDG_DATA_DIRS|XDG_CONFIG_DIRS)$/;

/** Of this program's own, but secrets. */
const SECRET = /TOKEN|PASSWORD|SECRET|CREDENTIAL|_KEY$/;

/** @param temporaryFolder where it may leave files while it lives */
export function workerEnvironment(
  environment: NodeJS.ProcessEnv,
  temporaryFolder: string | undefined,
): NodeJS.ProcessEnv {
  const given = Object.entries(environment).filter(([name]) => GIVEN.test(name) && !SECRET.test(name));
  return {
    ...Object.fromEntries(given),
    ...(temporaryFolder === undefined ? {} : { TMPDIR: temporaryFolder }),
  };
}
