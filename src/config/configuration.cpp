#include "config/configuration.hpp"
