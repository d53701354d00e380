//! The module's memory, seen from a host function.

use wasmi::{Caller, Error, Memory};

use super::state::{Call, State};

/// A host function's view of the module that calls it.
pub(super) struct Guest<'c, 'v>(pub(super) &'c mut Caller<'v, State>);

impl<'c, 'v> Guest<'c, 'v> {
    /// Notes that the module has called this function of the host's.
    pub(super) fn called(caller: &'c mut Caller<'v, State>, function: &'static str) -> Self {
        let mut guest = Self(caller);
        guest.state().calls.push(Call { function, arguments: Vec::new() });
        guest
    }

    /// Whether the host does not do what it has just been asked for.
    pub(super) fn is_refused(&mut self) -> bool {
        let state = self.state();
        let Some((function, calls_before)) = &mut state.context.refuses else { return false };
        if state.calls.last().map(|call| call.function) != Some(*function) {
            return false;
        }
        let refused = *calls_before == 0;
        *calls_before = calls_before.wrapping_sub(1);
        refused
    }

    pub(super) fn state(&mut self) -> &mut State {
        self.0.data_mut()
    }

    /// Reads an argument of the call.
    pub(super) fn argument(&mut self, at: u32, size: u32) -> Result<Vec<u8>, Error> {
        let bytes = self.read(at, size)?;
        if let Some(call) = self.state().calls.last_mut() {
            call.arguments.push(bytes.clone());
        }
        Ok(bytes)
    }

    pub(super) fn read(&self, at: u32, size: u32) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; usize::try_from(size).map_err(|_| Error::new("too long"))?];
        if !bytes.is_empty() {
            self.memory()?.read(&*self.0, offset(at)?, &mut bytes).map_err(|error| Error::new(error.to_string()))?;
        }
        Ok(bytes)
    }

    pub(super) fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Error> {
        let memory = self.memory()?;
        memory.write(&mut *self.0, offset(at)?, bytes).map_err(|error| Error::new(error.to_string()))
    }

    pub(super) fn write_number(&mut self, at: u32, number: u32) -> Result<(), Error> {
        self.write(at, &number.to_le_bytes())
    }

    /// Hands bytes over: allocates them in the module, and writes where they are.
    pub(super) fn give(&mut self, bytes: &[u8], at: u32, size_at: u32) -> Result<(), Error> {
        let size = u32::try_from(bytes.len()).map_err(|_| Error::new("too long"))?;
        let allocate = self
            .0
            .get_export("proxy_on_memory_allocate")
            .and_then(|export| export.into_func())
            .ok_or_else(|| Error::new("no proxy_on_memory_allocate"))?
            .typed::<u32, u32>(&*self.0)?;
        let place = allocate.call(&mut *self.0, size)?;
        self.write(place, bytes)?;
        self.write_number(at, place)?;
        self.write_number(size_at, size)
    }

    fn memory(&self) -> Result<Memory, Error> {
        self.0.get_export("memory").and_then(|export| export.into_memory()).ok_or_else(|| Error::new("no memory"))
    }
}

fn offset(at: u32) -> Result<usize, Error> {
    usize::try_from(at).map_err(|_| Error::new("no such address"))
}
