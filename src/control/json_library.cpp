// Boost.JSON's one translation unit: everyone else includes <boost/json.hpp> and finds its functions here.
#include <boost/json/src.hpp>
