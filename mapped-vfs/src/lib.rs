//! SQLite's own VFS, but that a connection keeps its mapping of the database file when another one has written.
//!
//! At the beginning of each read transaction that sees a new commit SQLite unmaps the whole file, in case its size has
//! changed, and maps it again for the first page. So beside a writer every reader takes a page fault for every page that it
//! reads: four times the CPU of the read itself, for a search of some thousand rows. Pages that are mapped cannot be stale: the
//! kernel shows the file as it is, and which pages are read from the file and which from the log SQLite decides anew
//! in each transaction. What may be wrong about an old mapping is its length alone. So it is kept while the file is as
//! long, or a little longer (what lies behind its end is then read by copying, as SQLite does by itself), and renewed
//! when the file has become shorter or much longer.
//!
//! This is the only unsafe code of the project, and here by itself, so that all other packages can forbid it.

use rusqlite::ffi;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr;
use std::sync::OnceLock;

/// What to give as the name of the VFS, once `register` has succeeded.
pub const NAME: &CStr = c"mapped";

/// A mapping is renewed when the file has grown by this part of it, and by no less than so many bytes.
const GROWN_BY_PART: i64 = 16;
const GROWN_BY_BYTES: i64 = 4 << 20;

/// What is known of an open file, behind what SQLite's own VFS keeps of it.
#[repr(C)]
struct Mapped {
    /// How long the file was when the mapping was last given up, and so, at the least, when it was made.
    bytes: i64,
}

/// What this VFS rests on, for the life of the process.
struct Base {
    vfs: *mut ffi::sqlite3_vfs,
    /// Where `Mapped` begins in a file's memory.
    offset: usize,
    methods: OnceLock<Methods>,
}

struct Methods {
    /// Those of the files of the VFS below, and these with our `xUnfetch`.
    base: *const ffi::sqlite3_io_methods,
    ours: ffi::sqlite3_io_methods,
}

// SAFETY: SQLite's VFS and its methods are made once, never freed, and may be used from any thread.
unsafe impl Send for Base {}
// SAFETY: as above.
unsafe impl Sync for Base {}
// SAFETY: as above.
unsafe impl Send for Methods {}
// SAFETY: as above.
unsafe impl Sync for Methods {}

static BASE: OnceLock<Base> = OnceLock::new();
static REGISTERED: OnceLock<Result<(), c_int>> = OnceLock::new();

/// Makes the VFS known to SQLite under `NAME`, once for the whole process. Fails with SQLite's code where there is no VFS
/// to rest on, or it is not taken.
pub fn register() -> Result<(), c_int> {
    *REGISTERED.get_or_init(|| {
        // SAFETY: initialises SQLite, and gives its default VFS or null.
        let found = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
        if found.is_null() {
            return Err(ffi::SQLITE_ERROR);
        }
        // SAFETY: a registered VFS is valid for the life of the process, and a struct of plain values.
        let mut vfs: ffi::sqlite3_vfs = unsafe { ptr::read(found) };
        let size = usize::try_from(vfs.szOsFile).map_err(|_| ffi::SQLITE_ERROR)?;
        let offset = size.next_multiple_of(align_of::<Mapped>());
        vfs.szOsFile = c_int::try_from(offset + size_of::<Mapped>()).map_err(|_| ffi::SQLITE_ERROR)?;
        vfs.zName = NAME.as_ptr();
        vfs.pNext = ptr::null_mut();
        vfs.xOpen = Some(open);
        BASE.get_or_init(|| Base { vfs: found, offset, methods: OnceLock::new() });
        // SAFETY: what is registered is never freed; its other functions are those of the VFS below, which know a VFS by
        // what was copied (`pAppData`).
        match unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(vfs)), 0) } {
            ffi::SQLITE_OK => Ok(()),
            code => Err(code),
        }
    })
}

/// `xOpen`: the file of the VFS below; a database's gets our methods.
unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let Some(base) = BASE.get() else { return ffi::SQLITE_ERROR };
    // SAFETY: the VFS below lives as long as the process.
    let Some(below) = (unsafe { (*base.vfs).xOpen }) else { return ffi::SQLITE_ERROR };
    // SAFETY: SQLite's own arguments, with the VFS whose function it is; the file has more memory than that one needs.
    let code = unsafe { below(base.vfs, name, file, flags, out_flags) };
    if code == ffi::SQLITE_OK && flags & ffi::SQLITE_OPEN_MAIN_DB != 0 {
        // SAFETY: the file was opened by the VFS below, in memory of the size that we registered.
        unsafe { take_over(base, file) };
    }
    code
}

/// # Safety
/// `file` must be an open file of the VFS below, with room for `Mapped` behind it.
unsafe fn take_over(base: &Base, file: *mut ffi::sqlite3_file) {
    // SAFETY: an open file begins with its methods.
    let below = unsafe { (*file).pMethods };
    if below.is_null() {
        return;
    }
    let methods = base.methods.get_or_init(|| {
        // SAFETY: methods are static, a struct of plain values.
        let mut ours = unsafe { ptr::read(below) };
        // Earlier versions have no mapping.
        if ours.iVersion >= 3 && ours.xUnfetch.is_some() && ours.xFileSize.is_some() {
            ours.xUnfetch = Some(unfetch);
        }
        Methods { base: below, ours }
    });
    // Files of other kinds, on other file systems, stay as they are.
    if methods.base == below {
        // SAFETY: there is room for it behind the file, and nobody else has the file yet.
        unsafe {
            mapped(base, file).write(Mapped { bytes: 0 });
            (*file).pMethods = &raw const methods.ours;
        }
    }
}

fn mapped(base: &Base, file: *mut ffi::sqlite3_file) -> *mut Mapped {
    file.cast::<u8>().wrapping_add(base.offset).cast()
}

/// `xUnfetch`: of a single page as below; the whole mapping is given up only where it no longer fits the file.
unsafe extern "C" fn unfetch(file: *mut ffi::sqlite3_file, offset: ffi::sqlite3_int64, page: *mut c_void) -> c_int {
    let Some((base, methods)) = BASE.get().and_then(|base| Some((base, base.methods.get()?))) else { return ffi::SQLITE_ERROR };
    // SAFETY: only files that `take_over` has prepared have this method, and SQLite uses a file from one thread at a time.
    let mapped = unsafe { &mut *mapped(base, file) };
    // SAFETY: methods are static; the file is one of theirs.
    unsafe {
        let (Some(unfetch), Some(size)) = ((*methods.base).xUnfetch, (*methods.base).xFileSize) else { return ffi::SQLITE_ERROR };
        if page.is_null() {
            let mut bytes = 0;
            if size(file, &raw mut bytes) == ffi::SQLITE_OK {
                let spare = (mapped.bytes / GROWN_BY_PART).max(GROWN_BY_BYTES);
                if mapped.bytes > 0 && (mapped.bytes..=mapped.bytes.saturating_add(spare)).contains(&bytes) {
                    return ffi::SQLITE_OK;
                }
                mapped.bytes = bytes;
            }
        }
        unfetch(file, offset, page)
    }
}
