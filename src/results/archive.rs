//! Archives, packed or not: read as a stream, in memory bounds, and never unpacked to disk. So a path in it leads nowhere, and a
//! link is passed over. Sizes are limited by what comes out, whatever the archive says of itself.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, BufReader, Read};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;
use tar::{Archive, EntryType};

use super::members::{Members, is_member};
use super::{Damage, Entry, ReadError, Reading};

/// Most bytes that come out of an archive.
const MOST_BYTES: u64 = 16 << 30;
/// A packed file may grow so many times, once it is larger than [`GROWN`]. Logs grow some twenty times.
const MOST_GROWTH: u64 = 200;
/// Growth below this size is nothing to worry about.
const GROWN: u64 = 256 << 20;
/// Most files.
const MOST_FILES: u64 = 1_000_000;
/// Longest path.
const LONGEST_PATH: u64 = 4096;
/// Largest header of attributes.
const LARGEST_HEADER: u64 = 64 << 10;

/// Whether bytes are those of a tar archive.
pub fn is_tar(prefix: &[u8]) -> bool {
    prefix.get(257..262) == Some(b"ustar")
}

/// Whether bytes are packed with gzip.
pub fn is_gzip(prefix: &[u8]) -> bool {
    prefix.starts_with(&[0x1f, 0x8b])
}

/// What went wrong below a reader that only knows input and output.
pub type Fault = Rc<RefCell<Option<Damage>>>;

struct Counting<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count.set(self.count.get() + count as u64);
        Ok(count)
    }
}

/// Gives out what is packed. Damage ends it and is told apart from a file that cannot be read.
pub struct Unpacked<R: Read> {
    inner: MultiGzDecoder<BufReader<Counting<R>>>,
    read: Rc<Cell<u64>>,
    given: u64,
    /// Growth below this size is nothing to worry about.
    grown: u64,
    fault: Fault,
}

impl<R: Read> Unpacked<R> {
    pub fn new(input: R) -> (Unpacked<R>, Fault) {
        let (read, fault) = (Rc::new(Cell::new(0)), Fault::default());
        let counting = Counting { inner: input, count: Rc::clone(&read) };
        let inner = MultiGzDecoder::new(BufReader::with_capacity(32 << 10, counting));
        (Unpacked { inner, read, given: 0, grown: GROWN, fault: Rc::clone(&fault) }, fault)
    }

    fn end(&mut self, what: String) {
        self.fault.borrow_mut().get_or_insert(Damage { at: self.read.get(), what });
    }
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.fault.borrow().is_some() {
            return Ok(0);
        }
        match self.inner.read(buffer) {
            Ok(count) => {
                self.given += count as u64;
                let grown = self.given > self.grown && self.given / MOST_GROWTH > self.read.get();
                if self.given > MOST_BYTES || grown {
                    self.end(format!("the file unpacks to more than {} bytes: given up", self.given));
                    return Ok(0);
                }
                Ok(count)
            }
            Err(error) => match error.kind() {
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => {
                    self.end(format!("the packed data is cut or damaged: {error}"));
                    Ok(0)
                }
                _ => Err(error),
            },
        }
    }
}

/// Reads the files of an archive that say something.
pub fn read(input: &mut dyn BufRead, sink: &mut dyn FnMut(Entry)) -> Result<Reading, ReadError> {
    let read = Rc::new(Cell::new(0));
    let mut archive = Archive::new(Counting { inner: input, count: Rc::clone(&read) });
    let mut members = Members::new(sink);
    // Long names are put together here, since the library would hold a name of any length.
    let entries = archive.entries()?.raw(true);
    let (mut path, mut passed_over, mut files) = (None, 0_u64, 0_u64);
    for entry in entries {
        files += 1;
        if files > MOST_FILES {
            members
                .is_damaged(Damage { at: read.get(), what: format!("the archive has more than {MOST_FILES} files") });
            break;
        }
        let mut entry = match entry {
            Ok(entry) => entry,
            Err(error) => {
                let what = format!("the archive is cut or damaged: {error}");
                members.is_damaged(Damage { at: read.get(), what });
                break;
            }
        };
        match entry.header().entry_type() {
            EntryType::GNULongName => path = Some(long_name(&mut entry)?),
            EntryType::XHeader => path = attribute_path(&mut entry)?.or(path),
            EntryType::GNULongLink | EntryType::XGlobalHeader => {}
            EntryType::Regular | EntryType::Continuous => {
                let own = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
                let name = path.take().unwrap_or(own);
                if is_member(&name) {
                    let stated = entry.size();
                    let before = read.get();
                    members.take(&name, &mut entry)?;
                    io::copy(&mut entry, &mut io::sink())?;
                    if read.get() - before < stated {
                        let what = format!("the archive ends within {name}");
                        members.is_damaged(Damage { at: read.get(), what });
                        break;
                    }
                }
            }
            EntryType::Directory => path = None,
            _ => {
                path = None;
                passed_over += 1;
            }
        }
    }
    if passed_over > 0 {
        members.note(format!("links and special files of the archive were passed over: {passed_over}"));
    }
    Ok(members.finish())
}

fn long_name(entry: &mut impl Read) -> io::Result<String> {
    let mut bytes = Vec::new();
    entry.take(LONGEST_PATH).read_to_end(&mut bytes)?;
    let end = memchr::memchr(0, &bytes).unwrap_or(bytes.len());
    Ok(String::from_utf8_lossy(bytes.get(..end).unwrap_or_default()).into_owned())
}

/// The path among attributes: lines `LENGTH path=PATH`.
fn attribute_path(entry: &mut impl Read) -> io::Result<Option<String>> {
    let mut bytes = Vec::new();
    entry.take(LARGEST_HEADER).read_to_end(&mut bytes)?;
    let text = String::from_utf8_lossy(&bytes);
    let path = text.lines().find_map(|line| line.split_once(' ')?.1.strip_prefix("path="));
    Ok(path.map(str::to_owned))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn what_unpacks_to_far_too_much_is_given_up() {
        let packed = |bytes: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        };
        let unpack = |packed: &[u8]| {
            let (unpacked, fault) = Unpacked::new(packed);
            let length = io::copy(&mut Unpacked { grown: 1 << 20, ..unpacked }, &mut io::sink()).unwrap();
            let fault = fault.borrow_mut().take();
            (length, fault)
        };
        let (length, fault) = unpack(&packed(&vec![0; 8 << 20]));
        assert!(length < 3 << 20 && fault.unwrap().what.contains("given up"), "{length}");
        assert_eq!(unpack(&packed(&vec![0; 1 << 19])), (1 << 19, None));
    }
}
